"""What a search may be narrowed by; how a store asks for it is the store's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from atoll.errors import BadInput
from atoll.ports.passages import MAX_FILTERED_DOCUMENTS

#: Bounds of a range of metadata and how they compare.
BOUNDS = {"gte": ">=", "lte": "<="}

#: Patterns of names in one search, and stars in each: every one is tried on the name of every document.
MAX_PATTERNS = 16
MAX_STARS = 8


def bounds_of(wanted: Any) -> dict[str, Any] | None:
    """Return the bounds that metadata is compared with, or None when it is compared with values.

    Raises:
        BadInput: bounds of another name, or none.
    """
    if not isinstance(wanted, dict):
        return None
    if not wanted or set(wanted) - set(BOUNDS):
        raise BadInput("a metadata range takes gte and lte, nothing else")
    return wanted


def options_of(wanted: Any) -> list[Any]:
    """Return the values of which metadata has to have one."""
    return list(wanted) if isinstance(wanted, list) else [wanted]


def check_patterns(patterns: Sequence[str]) -> None:
    """Raise BadInput for more name patterns, or more stars in one, than are matched against every document."""
    if len(patterns) > MAX_PATTERNS:
        raise BadInput(
            f"filters.names takes at most {MAX_PATTERNS} patterns; filter by document_ids, sources or labels"
        )
    if any(pattern.count("*") > MAX_STARS for pattern in patterns):
        raise BadInput(f"a pattern of filters.names has at most {MAX_STARS} stars; leave some out")


def check_matched(count: int) -> None:
    """Raise BadInput when filters leave more documents than an index can be asked for."""
    if count > MAX_FILTERED_DOCUMENTS:
        raise BadInput(
            f"the filters match {count} documents, at most {MAX_FILTERED_DOCUMENTS} can be searched at once; narrow "
            "them, or leave them out to search everything"
        )
