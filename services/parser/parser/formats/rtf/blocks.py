"""Paragraphs, list items, headings, notes and tables as their text comes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from atoll.domain.block import BlockKind
from parser.flow import BULLET, Element
from parser.formats.rtf.tables import CellPlan, Plan, Table
from parser.text import flowing

_HEADINGS = 6


@dataclass(slots=True)
class Paragraph:
    """What holds until a paragraph's settings are reset."""

    level: int = -1
    in_table: bool = False
    parts: list[str] = field(default_factory=list)
    label: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)


class Blocks:
    """Makes elements; ``out`` holds those that are complete."""

    def __init__(self) -> None:
        self.out: deque[Element] = deque()
        self.paragraph = Paragraph()
        self._plan = Plan()
        self._cells: list[str] = []
        self._table: Table | None = None
        self._tables = 0

    def word(self, name: str, number: int | None) -> None:
        """A control word that sets or ends a paragraph, a cell or a row."""
        match name:
            case "pard":
                self.paragraph.level, self.paragraph.in_table = -1, False
            case "intbl":
                self.paragraph.in_table = True
            case "outlinelevel":
                self.paragraph.level = -1 if number is None else number
            case "cell":
                self._end_cell()
            case "row":
                self._end_row()
            case _:
                self._row_word(name, number or 0)

    def _row_word(self, name: str, number: int) -> None:
        """Words that say how a table's row is drawn."""
        match name:
            case "trowd":
                self._plan = Plan()
            case "trleft":
                self._plan.left = number
            case "trhdr":
                self._plan.is_header = True
            case "cellx":
                self._plan.end_cell(number)
            case "clmrg":
                self._plan.begun.joins_left = True
            case "clvmrg":
                self._plan.begun.joins_above = True

    def end_paragraph(self) -> None:
        """Make an element of what was gathered; within a table it is a line of a cell."""
        paragraph = self.paragraph
        if paragraph.in_table:
            paragraph.parts.append("\n")
            return
        text, notes = flowing("".join(paragraph.parts)), paragraph.notes
        if text or notes:
            self.end_table()
        if text and 0 <= paragraph.level < _HEADINGS:
            heading = text.replace("\n", " ")
            label = "" if paragraph.label in {"", BULLET} else f"{paragraph.label} "
            self.out.append(Element(BlockKind.HEADING, label + heading, level=paragraph.level + 1))
        elif text and paragraph.label:
            marker = paragraph.label if any(map(str.isalnum, paragraph.label)) else BULLET
            self.out.append(Element(BlockKind.LIST_ITEM, text, marker=marker))
        elif text:
            self.out.append(Element(BlockKind.PARAGRAPH, text))
        self.out.extend(Element(BlockKind.FOOTNOTE, note, marker=label) for label, note in notes)
        self.paragraph = Paragraph(paragraph.level, paragraph.in_table)

    def _end_cell(self) -> None:
        self._cells.append(flowing("".join(self.paragraph.parts)))
        self.paragraph.parts.clear()
        self.paragraph.label = ""

    def _end_row(self) -> None:
        if self._cells:
            self._table = self._table or Table()
            self._table.add(self._plan, self._cells)
            self._plan = Plan(self._plan.left, self._plan.cells, self._plan.is_header, CellPlan())
        self._cells = []

    def end_table(self) -> None:
        """Pass on the table that is open."""
        if self._table is not None:
            self._tables += 1
            self.out.extend(self._table.elements(self._tables))
            self._table = None
