"""The row of a table that a question means by a superlative: "Which unit is the largest?", "the cheapest ticket"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from atoll.domain.text.dates import dates
from atoll.domain.text.numbers import grouped, value_of, values_of
from atoll.query.answer.chosen import Chosen
from atoll.query.answer.judge import Judged
from atoll.query.answer.units import TableRow, Unit
from atoll.query.answer.weigh import Weighed
from atoll.query.text.lists import patterns_of

#: Rows that are shown of those that have the same value.
_MOST_ALIKE = 3
_FIGURE = re.compile(r"[-\u2212]?\d+(?:[.,]\d+)*")
#: What a cell without a value may hold.
_BLANK = " -–—"
_ANY, _DATE = "any", "date"
_YEAR = re.compile(r"\s*[12]\d{3}\s*")


def extreme_rows(judged: Judged) -> list[Chosen]:
    """Return the rows with the most or least of what a superlative measures, each with that column.

    A table is only compared whose column holds a number or a date in each row, all in one unit, and that meets
    everything else that is asked, so that a wrong row is never told for want of a better one.
    """
    measures = _measures(judged)
    if not measures:
        return []
    for table in _tables(judged):
        for sense, measure, spanned in measures:
            rest = [at for at in _asked(judged) if at not in spanned]
            rows = _meant(judged, table, rest)
            column = _column(judged, rows, measure, rest) if len(rows) > 1 else None
            if column is None:
                continue
            values = _values([_row(each).cells[column] for each in rows])
            known = [value for value in values if value is not None]
            end = max(known) if sense == "most" else min(known)
            alike = [each for each, value in zip(rows, values, strict=True) if value == end]
            return [Chosen(each, (column,), spanned) for each in alike[:_MOST_ALIKE]]
    return []


def _measures(judged: Judged) -> list[tuple[str, str, frozenset[int]]]:
    """Return which end of what the question asks for, and the places of the parts that say so."""
    found = []
    for key, form in patterns_of("extremes"):
        sense, measure = key.split()
        match = form.search(judged.asked.text) if sense != "of" else None
        if match is not None:
            spanned = frozenset(
                at for at, part in enumerate(judged.asked.parts) if match.start() <= part.start < match.end()
            )
            found.append((sense, measure, spanned))
    return found


def _asked(judged: Judged) -> list[int]:
    return [at for at, part in enumerate(judged.asked.parts) if not part.excluded and not part.soft]


def _tables(judged: Judged) -> list[list[Weighed]]:
    """Return the rows of each table that has column names, the table with the best row first."""
    found: defaultdict[tuple[object, ...], list[Weighed]] = defaultdict(list)
    for each in judged.all:
        unit = each.unit
        if unit.row is not None and any(unit.row.header):
            place = (unit.evidence.document_id, unit.headings, unit.lead, unit.row.caption, unit.row.header)
            found[place].append(each)
    return sorted(found.values(), key=lambda rows: -max(each.score for each in rows))


def _meant(judged: Judged, rows: Sequence[Weighed], asked: Sequence[int]) -> list[Weighed]:
    """Return the rows that are compared: where some meet a part that the table as a whole does not, only those."""
    unit = rows[0].unit
    frame = judged.weigher.meets_each(("\n".join(_frame(unit)), 1.0))
    chosen = list(rows)
    for at in asked:
        if frame[at] <= 0:
            chosen = [each for each in chosen if each.own[at] > 0]
    return chosen


def _frame(unit: Unit) -> list[str]:
    row = _row_of(unit)
    return [*unit.titles, *unit.headings, unit.lead, row.caption, *row.header, unit.evidence.document]


def _column(judged: Judged, rows: Sequence[Weighed], measure: str, asked: Sequence[int]) -> int | None:
    """Return the column that is compared, or None if no column, or more than one, may be meant."""
    first = _row(rows[0])
    label_at = first.cells.index(first.label) if first.label else 0
    named = {at for part in asked for at in judged.weigher.columns_with(part, first.header)} - {label_at}
    forms = [form for key, form in patterns_of("extremes") if key == f"of {measure}"]
    fitting = {at for at, name in enumerate(first.header) for form in forms if form.search(name)} - {label_at}
    meant = named if measure == _ANY else (named & fitting) or fitting
    cells = {at: [_row(each).cells[at] for each in rows] for at in meant}
    comparable = [at for at in meant if _are_comparable(cells[at]) and (measure != _DATE or _are_dates(cells[at]))]
    return comparable[0] if len(comparable) == 1 else None


def _are_comparable(cells: Sequence[str]) -> bool:
    """Whether there are two values at least, each cell holds one or nothing, and all have the same unit."""
    filled = [cell for cell in cells if cell.strip(_BLANK)]
    units = {" ".join(_FIGURE.sub(" ", cell).split()).casefold() for cell in filled}
    values = _values(filled)
    dated = all(dates(cell) for cell in filled)
    return len(filled) > 1 and None not in values and (dated or len(units) == 1)


def _are_dates(cells: Sequence[str]) -> bool:
    """Whether cells hold dates or years, and no amounts "per year"."""
    return all(_YEAR.fullmatch(cell) or dates(cell) for cell in cells if cell.strip(_BLANK))


def _values(cells: Sequence[str]) -> list[tuple[float, ...] | None]:
    """Return what is compared of some cells of a column: their dates, or their figures."""
    if all(dates(cell) for cell in cells if cell.strip(_BLANK)):
        found = [next(iter(dates(cell)), None) for cell in cells]
        return [None if date is None else (date.year or 0, date.month, date.day or 0) for date in found]
    figures = [_figure(cell) for cell in cells]
    decimal = any(figure is not None and len(values_of(figure)) == 1 and "." in value_of(figure) for figure in figures)
    return [None if figure is None else (_number(figure, decimal=decimal),) for figure in figures]


def _figure(cell: str) -> str | None:
    """Return a cell's only figure without thousands marks that are blanks or apostrophes."""
    plain = cell.replace("\u2212", "-")
    for start, end, digits in [*grouped(plain)][::-1]:
        if not {",", "."} & set(plain[start:end]):
            plain = plain[:start] + digits + plain[end:]
    found = _FIGURE.findall(plain)
    return found[0] if len(found) == 1 else None


def _number(figure: str, *, decimal: bool) -> float:
    """Return a figure's value; ``decimal``: its column has decimal places, so that 1.500 is not 1500."""
    sign, digits = (-1, figure[1:]) if figure.startswith("-") else (1, figure)
    return sign * (min(map(float, values_of(digits))) if decimal else float(value_of(digits)))


def _row(each: Weighed) -> TableRow:
    return _row_of(each.unit)


def _row_of(unit: Unit) -> TableRow:
    assert unit.row is not None, "only rows are looked at here"
    return unit.row
