"""Which rows at the top of a table name its columns."""

from __future__ import annotations

import pytest

from parser.flow import CellElement
from parser.table_shape import header_rows


def rows(*lines: str) -> list[list[CellElement]]:
    return [[CellElement(text.strip(), at) for at, text in enumerate(line.split("|"))] for line in lines]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (("Item | 2023 | 2024", "Fares | 4,318 | 4,655", "Grants | 6,900 | 7,150"), 1),
        ((" | 2022/23 | 2023/24", "Loans | 12 | 15"), 1),  # an empty corner
        (("Light | Target | 2024 | Interruptions", "Osk Head | 99.8 % | 99.86 % | 1"), 1),
        (("Item | Q1 2024 | Q2 2024 (plan)", "Fares | 4.1 | 4.2"), 1),
        (("Founded | 1931 | Oslo", "Moved | 1958 | Bergen"), 0),  # years that are values
        (("1931 | 1958", "a | b"), 0),
        (("Item | 2023 | 2023", "Fares | 4 | 5"), 0),
        (("Ship | Built | Berths", "Brannock | 2009 | 120"), 1),
    ],
)
def test_names_and_years_over_values_are_a_header(lines: tuple[str, ...], count: int) -> None:
    assert header_rows(rows(*lines)) == count
