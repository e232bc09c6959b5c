"""Tables in plain text: columns that blanks keep apart in every line, or upright strokes."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from atoll.domain.text.periods import names_period

if TYPE_CHECKING:
    from collections.abc import Sequence

_TAB_COLUMNS = 8
_GAP = re.compile(r"\S(?: {2,})(?=\S)")
_RULE = re.compile(r"[-=_+|\s]*[-=_]{3}[-=_+|\s]*")
_BOXED = re.compile(r"\s*\|(?![-=+|\s]*$).*\|\s*")
_LEAST_ROWS = 3
#: Two lines alone are a table only where their columns stand so far apart.
_WIDE_GAP = 3


class TextTable(NamedTuple):
    """Lines ``first`` to ``last`` (excluded) of a paragraph as rows of cells; the first row may be a header."""

    first: int
    last: int
    rows: list[list[str]]
    has_header: bool


def text_table(lines: Sequence[str]) -> TextTable | None:
    """The first table in a paragraph's raw lines, or None."""
    shown = [line.expandtabs(_TAB_COLUMNS).rstrip() for line in lines]
    if found := _boxed(shown):
        return found
    for first, line in enumerate(shown):
        if _GAP.search(line):
            found = _from(shown, first)
            if found:
                return found
    return None


def _boxed(lines: Sequence[str]) -> TextTable | None:
    """The first table whose cells stand between upright strokes, as many in each row."""
    first = next((at for at, line in enumerate(lines) if _BOXED.fullmatch(line)), None)
    if first is None:
        return None
    if first and _RULE.fullmatch(lines[first - 1]):
        first -= 1
    last, ruled, rows = first, -1, list[list[str]]()
    for line in lines[first:]:
        if _RULE.fullmatch(line):
            ruled = len(rows) if ruled < 0 and rows else ruled
        elif not _BOXED.fullmatch(line):
            break
        else:
            rows.append([cell.strip() for cell in line.strip()[1:-1].split("|")])
        last += 1
    if len(rows) < 2 or len({len(row) for row in rows}) > 1 or len(rows[0]) < 2:  # noqa: PLR2004
        return None
    return TextTable(first, last, rows, _has_header(rows, is_ruled=ruled == 1))


def _from(lines: Sequence[str], first: int) -> TextTable | None:
    columns: list[tuple[int, int]] = []
    last = first
    while last < len(lines):
        wider = _columns(lines[first : last + 1])
        if len(wider) < 2 or (len(wider) < len(columns) and not _GAP.search(lines[last])):  # noqa: PLR2004
            break
        columns = wider
        last += 1
    rows: list[list[str]] = []
    ruled = -1
    for line in lines[first:last]:
        if _RULE.fullmatch(line):
            ruled = len(rows) if ruled < 0 else ruled
        else:
            rows.append([line[start:end].strip() for start, end in columns])
    least_gap = min((after[0] - before[1] for before, after in pairwise(columns)), default=0)
    several = sum(sum(map(bool, row)) > 1 for row in rows)
    if several < 2 or (len(rows) < _LEAST_ROWS and ruled < 0 and least_gap < _WIDE_GAP):  # noqa: PLR2004
        return None
    return TextTable(first, last, rows, _has_header(rows, is_ruled=ruled == 1))


def _columns(lines: Sequence[str]) -> list[tuple[int, int]]:
    """The extents of what stands between the white that all lines share, where it is two blanks wide or more."""
    lines = [line for line in lines if not _RULE.fullmatch(line)]
    width = max(map(len, lines), default=0)
    inked = [False] * (width + 2)
    for line in lines:
        for at, character in enumerate(line):
            inked[at] = inked[at] or character != " "
    columns: list[tuple[int, int]] = []
    start: int | None = None
    for at in range(width + 2):
        if inked[at]:
            start = at if start is None else start
        elif start is not None and not (at + 1 < width and inked[at + 1]):
            columns.append((start, at))
            start = None
    return columns


def _has_header(rows: Sequence[Sequence[str]], *, is_ruled: bool) -> bool:
    """Whether the first row names the columns: a rule is below it, or words or years, more than two, above numbers."""
    if is_ruled or len(rows) < 2:  # noqa: PLR2004
        return is_ruled
    names, body = rows[0], rows[1:]
    if len(names) < _LEAST_ROWS:
        return False
    periods = [at for at, name in enumerate(names) if names_period(name)]
    others = [name for at, name in enumerate(names) if at not in periods]
    if not others or any(character.isdigit() for name in others for character in name):
        return False
    if any(names_period(row[at]) for row in body for at in periods if at < len(row)):
        return False
    return any(character.isdigit() for row in body for cell in row[1:] for character in cell)
