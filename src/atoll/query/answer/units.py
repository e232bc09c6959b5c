"""Passages as units of evidence: sentences, table rows, list items and headings, each with what explains it.

A row knows the names of its columns, its caption and the row label that it goes on under; an item knows the sentence or
heading that leads its list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise

from atoll.domain.evidence import Evidence
from atoll.domain.layout import PassageLayout, PlacedRow, PlacedTable
from atoll.domain.text.periods import names_period
from atoll.domain.text.sentences import Span, lines, sentences

#: What the parser puts between the cells of a table's row.
_SEPARATOR = re.compile(r"(?:^|(?<=\s))\|(?=\s|$)")
_BULLET = re.compile(r"^(?:[-–—•▪‣◦*·]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])(?:\s+\|)?\s+")
_MARK = re.compile(r"[-–—•▪‣◦*·]|\(?(?:\d{1,3}|[a-zA-Z])[.)]")
_MARKED_CELLS = 2
_FIGURE = re.compile(r"\W*\d[\d.,:/ ]*\W*(?:%|[^\W\d_]{1,3})?")
_LEADER = re.compile(r"\s*(?:\.\s?){3,}\s*|\s*…+\s*|\t+")
_HEADING_END = re.compile(r"[.!?;,:]$")
_CAPTION = re.compile(
    r"^(?:table|figure|fig\.|tab\.|tabelle|abbildung|abb\.|tableau|tabla|tabella)\s*\d", re.IGNORECASE
)
#: Sentences that introduce a table or list at most; where more are said they are about something.
_INTRODUCTION = 2
QUESTION_MARKS = ("?", "？", "؟")
#: What may stand behind the mark that ends a sentence.
CLOSERS = "\"'”’»)]」』）*_"
#: A line of at most this many words without a full stop may be a heading that the parser did not mark.
_HEADING_WORDS = 8


class Form(StrEnum):
    """What a unit is to its reader."""

    SENTENCE = "sentence"
    ROW = "row"
    ITEM = "item"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with the names of its columns (empty strings where there is none); ``spans`` are its cells' places."""

    header: tuple[str, ...]
    cells: tuple[str, ...]
    spans: tuple[Span, ...]
    caption: str = ""

    @property
    def label(self) -> str:
        """What the row is about: its first cell that is not empty."""
        return next((cell for cell in self.cells if cell), "")


@dataclass(eq=False, slots=True)
class Unit:
    """``text`` is ``evidence.text[start:end]``.

    ``lead`` is the line that it stands under: a heading in the text, or the sentence that ends in a colon. Units of one
    list or table have one ``series``, those under one heading one ``section``; ``before`` and ``after`` are the
    neighbours in the passage.
    """

    evidence: Evidence
    form: Form
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    lead: str = ""
    row: TableRow | None = None
    series: int = -1
    section: int = 0
    titles: tuple[str, ...] = ()
    before: Unit | None = field(default=None, repr=False)
    after: Unit | None = field(default=None, repr=False)

    @property
    def introduction(self) -> list[Unit]:
        """The sentences before a table or list, the nearest first, where they are few and nothing else stands there."""
        found = self.before
        while found is not None and found.form is not Form.SENTENCE:
            found = found.before
        told: list[Unit] = []
        while found is not None and found.section == self.section:
            if found.form is not Form.TITLE:
                told.append(found)
            if len(told) > _INTRODUCTION:
                return []
            found = found.before
        return told


def units(
    evidence: Evidence, headings: Sequence[str], layout: PassageLayout | None = None, titles: Sequence[str] = ()
) -> list[Unit]:
    """Return the units of a passage in its order; without a layout, rows are told by the separators in the text.

    ``titles`` are what the document calls itself.
    """
    reader = _Reader(evidence, tuple(headings), layout, tuple(titles))
    found: list[Unit] = []
    for unit in (unit for at in range(len(reader.spans)) for unit in reader.line(at)):
        if found and unit.form is Form.ITEM is found[-1].form and unit.text[:1].islower():
            found[-1].end = unit.end
            found[-1].text = " ".join(evidence.text[found[-1].start : unit.end].split())
        else:
            found.append(unit)
    for first, second in pairwise(found):
        first.after, second.before = second, first
    return found


class _Reader:
    """Reads a passage line by line; what has been read of it says what a line is."""

    def __init__(
        self, evidence: Evidence, headings: tuple[str, ...], layout: PassageLayout | None, titles: tuple[str, ...]
    ) -> None:
        self.spans = lines(evidence.text)
        self._evidence = evidence
        self._text = evidence.text
        self._headings = headings
        self._titles = titles
        self._layout = layout
        self._title = self._lead = self._caption = ""
        self._header: tuple[str, ...] | None = None
        self._above: tuple[str, ...] = ()
        self._series = self._section = 0
        self._form: Form | None = None

    def line(self, at: int) -> Iterator[Unit]:
        """Yield the units of a line."""
        span = self.spans[at]
        line = self._text[span.start : span.end]
        following = self._at(at + 1)
        placed = self._layout.row_at(span.start) if self._layout else None
        leader = _LEADER.search(line)
        if placed is not None:
            yield from self._placed_row(span, *placed)
        elif self._layout is None and _SEPARATOR.search(line) and not _BULLET.match(line):
            yield from self._told_row(span, line, following)
        elif leader and leader.start() and leader.end() < len(line):
            self._enter(Form.ROW)
            cells = (Span(span.start, span.start + leader.start()), Span(span.start + leader.end(), span.end))
            yield self._row(span, ("", ""), cells)
        elif _CAPTION.match(line):
            self._caption = line
            self._form = Form.TITLE
            yield self._unit(Form.TITLE, span)
        elif line in self._headings or line in self._titles or _looks_like_heading(line, following):
            self._title = self._lead = self._caption = line
            self._section += 1
            self._form = Form.TITLE
            yield self._unit(Form.TITLE, span)
        elif _BULLET.match(line) or (self._form is Form.ITEM and line[:1].islower()):
            self._enter(Form.ITEM)
            yield self._unit(Form.ITEM, span)
        else:
            yield from self._sentences(span, line)

    def _at(self, at: int) -> str:
        return self._text[self.spans[at].start : self.spans[at].end] if at < len(self.spans) else ""

    def _enter(self, form: Form) -> None:
        if self._form is not form:
            self._series += 1
            self._header, self._above = None, ()
        self._form = form

    def _unit(self, form: Form, span: Span, row: TableRow | None = None) -> Unit:
        text = self._text[span.start : span.end]
        series = self._series if form in (Form.ROW, Form.ITEM) else -1
        lead = self._lead if self._lead != text else ""
        place = (self._headings, lead, row, series, self._section, self._titles)
        return Unit(self._evidence, form, span.start, span.end, text, *place)

    def _placed_row(self, span: Span, table: PlacedTable, row: PlacedRow) -> Iterator[Unit]:
        if len(row.cells) <= _MARKED_CELLS and _MARK.fullmatch(self._text[row.cells[0].start : row.cells[0].end]):
            self._enter(Form.ITEM)
            yield self._unit(Form.ITEM, span)
            return
        self._enter(Form.ROW)
        if row.is_header:
            yield self._unit(Form.TITLE, span)
            return
        self._caption = self._text[slice(*table.caption)] if table.caption else self._caption
        if row is table.rows[0]:
            self._header = self._periods(table)
            if self._header:
                yield self._unit(Form.TITLE, span)
                return
        names = self._header if self._header and len(self._header) == len(row.cells) else map(table.names_of, row.cells)
        yield self._row(span, tuple(names), tuple(Span(c.start, c.end) for c in row.cells))

    def _periods(self, table: PlacedTable) -> tuple[str, ...] | None:
        """Return the first row of a table without a header if years in it name the columns: "Item | 2023 | 2024"."""
        if any(table.columns) or len(table.rows) < 2:  # noqa: PLR2004 - a header is over something
            return None
        first, *below = (tuple(self._text[cell.start : cell.end] for cell in row.cells) for row in table.rows)
        periods = [at for at, cell in enumerate(first) if names_period(cell)]
        words = [cell for at, cell in enumerate(first) if at not in periods]
        if len({first[at] for at in periods}) < max(1, len(periods)) or not words:
            return None
        if any(map(str.isdecimal, "".join(words))):
            return None
        values = [row[at] for row in below for at in periods if at < len(row)]
        return None if not any(values) or any(map(names_period, values)) else first

    def _told_row(self, span: Span, line: str, following: str) -> Iterator[Unit]:
        self._enter(Form.ROW)
        spans = _cells(line, span.start)
        if self._header is None:
            below = [cell.strip() for cell in _SEPARATOR.split(following)] if _SEPARATOR.search(following) else []
            cells = tuple(self._text[s.start : s.end] for s in spans)
            self._header = cells if _names_columns(cells, below) else ()
            if self._header:
                yield self._unit(Form.TITLE, span)
                return
        header = self._header if len(self._header) == len(spans) else ("",) * len(spans)
        yield self._row(span, header, spans)

    def _row(self, span: Span, header: tuple[str, ...], spans: Sequence[Span]) -> Unit:
        """Return a row; one that says nothing in its first column goes on under the row above."""
        cells = tuple(self._text[s.start : s.end] for s in spans)
        if len(self._above) == len(cells) > 1 and not cells[0]:
            cells = (self._above[0], *cells[1:])
        self._above = cells
        return self._unit(Form.ROW, span, TableRow(header, cells, tuple(spans), self._caption))

    def _sentences(self, span: Span, line: str) -> Iterator[Unit]:
        self._form = Form.SENTENCE
        self._caption = ""
        told = sentences(line)
        asks = _asks(line[told[0].start : told[0].end])
        if asks:
            self._section += 1
        for at, (start, end) in enumerate(told):
            yield self._unit(Form.SENTENCE, Span(span.start + start, span.start + end))
            if asks and at == 0:  # what follows a question is its answer
                self._lead = line[start:end]
        if asks and len(told) > 1:
            self._lead = self._title
            self._section += 1
        if line.endswith(":"):
            last = sentences(line)[-1]
            self._lead = self._caption = line[last.start : last.end]


def _asks(sentence: str) -> bool:
    return sentence.rstrip(CLOSERS).endswith(QUESTION_MARKS)


def _looks_like_heading(line: str, following: str) -> bool:
    """Whether a line without a mark of its own reads as one: short, no full stop, and more text under it."""
    if not following or _HEADING_END.search(line) or len(line.split()) > _HEADING_WORDS:
        return False
    if ": " in line and not line.isupper():  # "Skimmer: 44 euros" says something itself
        return False
    letters = [c for c in line if c.isalpha()]
    if not letters or (len(following) < len(line) and not _SEPARATOR.search(following)):
        return False
    is_item = _BULLET.match(line) is not None and not line[:1].isdigit()
    return not is_item and (line[:1].isdigit() or line[:1].isupper() or _CAPTION.match(line) is not None)


def _cells(line: str, offset: int) -> list[Span]:
    spans, at = [], 0
    for end in (*(match.start() for match in _SEPARATOR.finditer(line)), len(line)):
        cell = line[at:end]
        left = at + len(cell) - len(cell.lstrip())
        spans.append(Span(offset + left, offset + left + len(cell.strip())))
        at = end + 1
    return spans


def _names_columns(cells: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a table's first row names its columns: words where the row below has figures, or no figures at all."""
    if len(below) != len(cells) or any(cell.endswith(":") for cell in cells) or not all(cells[1:]) or not below[0]:
        return False
    periods = [at for at, cell in enumerate(cells) if names_period(cell)]
    figures = sum(_FIGURE.fullmatch(cell) is not None for at, cell in enumerate(cells) if at not in periods)
    if any(names_period(below[at]) for at in periods):
        return False
    figures_below = sum(_FIGURE.fullmatch(cell) is not None for cell in below)
    return figures < figures_below or (not any(map(str.isdecimal, "".join(cells))) and bool(cells[0]))
