"""Years and parts of years as they stand over the columns of a table."""

from __future__ import annotations

import re

#: "2024", "2023/24", "Q1 2024", "2024 (plan)", "2024*".
_PERIOD = re.compile(
    r"\s*(?:[QHT][1-4][\s/-]?)?(?:1[6-9]|20)\d\d(?:\s?[/\u2013-]\s?(?:\d\d|(?:1[6-9]|20)\d\d))?(?:\s*\(\w+\)|\*)?\s*"
)


def names_period(text: str) -> bool:
    """Whether a text is a year or a part of one."""
    return _PERIOD.fullmatch(text) is not None
