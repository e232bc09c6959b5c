"""A document as it was read, and how it is written down between the parser and the stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atoll.domain.block import BROKEN, JOINED, WRAPPED, Block, BlockKind, Cell, Line, Row, Source
from atoll.domain.page import Box, Page
from atoll.domain.reading import UNKNOWN, HowRead

_GAPS = (WRAPPED, JOINED, BROKEN)
#: What the last fields of a line and of a cell are where they are left out.
_LINE_DEFAULTS = ((), (), Source.LAYER.value, True)
_CELL_DEFAULTS = (1, 1, False, None, "", "", "")
#: What blocks that belong to pages are called among what is left out.
_FURNITURE = {BlockKind.PAGE_HEADER: "header", BlockKind.PAGE_FOOTER: "footer", BlockKind.MARGIN: "margin"}


@dataclass(frozen=True, slots=True)
class ParseWarning:
    """Something the reader of a document should know although it could be read, such as a page without text."""

    type: str
    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Text that was found and left out, with the reason as a type: a person who looks at the page does not see it.

    It has no place where it is not on any page.
    """

    type: str
    page: int | None
    box: Box | None
    text: str


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document as pages and blocks in reading order."""

    title: str | None
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    warnings: tuple[ParseWarning, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    how: HowRead = UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """As plain values for any JSON writer: lists in the order of the fields, defaults at their ends left out."""
        return {
            "title": self.title,
            "pages": [[page.width, page.height, page.label] for page in self.pages],
            "blocks": [block_out(block) for block in self.blocks],
            "warnings": [[warning.type, warning.message, warning.page] for warning in self.warnings],
            "how": [self.how.parser, self.how.why, self.how.encoding, dict(self.how.metadata)],
            "skipped": [[each.type, each.page, each.box and list(each.box), each.text] for each in self.skipped],
        }

    @classmethod
    def from_json(cls, value: Any) -> ParsedDocument:
        """The document that ``to_json`` wrote.

        Raises:
            ValueError: the value does not have that shape, or a line is not on one of the pages.
        """
        try:
            pages = tuple(
                Page(number, float(width), float(height), str(label))
                for number, (width, height, label) in enumerate(value["pages"], start=1)
            )
            document = cls(
                None if value["title"] is None else str(value["title"]),
                pages,
                tuple(block_in(block, len(pages)) for block in value["blocks"]),
                tuple(ParseWarning(str(kind), str(message), page) for kind, message, page in value["warnings"]),
                tuple(
                    Skipped(str(kind), page, box and _box(box), str(text)) for kind, page, box, text in value["skipped"]
                ),
                HowRead(*value["how"]),
            )
        except (KeyError, TypeError, IndexError) as err:
            raise ValueError(f"not a parsed document: {err}") from err
        return document


def left_out(value: Any) -> list[Skipped]:
    """What is in no passage of the document that ``to_json`` wrote: what nobody sees, and what belongs to its pages.

    In the order of pages, what has none first. Only that much of the document is read.

    Raises:
        ValueError: the value does not have that shape.
    """
    try:
        found = [Skipped(str(kind), page, box and _box(box), str(text)) for kind, page, box, text in value["skipped"]]
        for written in value["blocks"]:
            if written[0] in _FURNITURE:
                block = block_in(written, len(value["pages"]))
                lines = block.lines
                box = lines[0].box
                for line in lines[1:]:
                    box = box.union(line.box)
                found.append(Skipped(_FURNITURE[block.kind], lines[0].page, box, block.text))
    except (KeyError, TypeError, IndexError) as err:
        raise ValueError(f"not a parsed document: {err}") from err
    return sorted(found, key=lambda each: each.page or 0)


def block_out(block: Block) -> list[Any]:
    """A block as plain values."""
    plain: list[Any] = [block.kind.value, block.level, block.label, list(map(_line_out, block.lines))]
    if block.kind is BlockKind.TABLE:
        rows = [[row.is_header, list(map(_cell_out, row.cells))] for row in block.rows]
        plain += [rows, list(map(_line_out, block.caption)), block.sheet]
    return plain


def block_in(value: Sequence[Any], page_count: int) -> Block:
    """The block that ``block_out`` wrote.

    Raises:
        ValueError: a line is on no page, or the value has another shape (also TypeError, IndexError).
    """
    kind, level, label, lines, *table = value
    block = Block(BlockKind(kind), _lines_in(lines, page_count), int(level), str(label))
    if block.kind is not BlockKind.TABLE:
        return block
    rows, caption, sheet = table
    return Block(
        block.kind,
        block.lines,
        block.level,
        block.label,
        tuple(Row(tuple(_cell_in(cell, page_count) for cell in cells), bool(header)) for header, cells in rows),
        _lines_in(caption, page_count),
        str(sheet),
    )


def _line_out(line: Line) -> list[Any]:
    more = [line.starts, line.spellings, line.source.value, line.is_seen]
    return [line.text, line.page, *line.box, _GAPS.index(line.gap), *_without(more, _LINE_DEFAULTS)]


def _lines_in(values: Sequence[Any], page_count: int) -> tuple[Line, ...]:
    return tuple(_line_in(value, page_count) for value in values)


def _line_in(value: Sequence[Any], page_count: int) -> Line:
    text, page, x0, y0, x1, y1, gap, *more = value
    if not isinstance(text, str) or not 1 <= page <= page_count:
        raise ValueError("not a parsed document: a line is on no page")
    starts, spellings, source, is_seen = _with(more, _LINE_DEFAULTS)
    box = Box(float(x0), float(y0), float(x1), float(y1))
    return Line(
        text, page, box, _GAPS[gap], tuple(map(int, starts)), tuple(map(str, spellings)), Source(source), bool(is_seen)
    )


def _cell_out(cell: Cell) -> list[Any]:
    box = None if cell.box is None else list(cell.box)
    more = [cell.columns, cell.rows, cell.is_header, box, cell.address, cell.value, cell.formula]
    return [cell.column, list(map(_line_out, cell.lines)), *_without(more, _CELL_DEFAULTS)]


def _cell_in(value: Sequence[Any], page_count: int) -> Cell:
    column, lines, *more = value
    columns, rows, is_header, box, address, content, formula = _with(more, _CELL_DEFAULTS)
    if not (isinstance(column, int) and column >= 0 and columns >= 1 and rows >= 1):
        raise ValueError("not a parsed document: a cell is in no column")
    return Cell(
        _lines_in(lines, page_count),
        column,
        int(columns),
        int(rows),
        bool(is_header),
        None if box is None else _box(box),
        str(address),
        str(content),
        str(formula),
    )


def _without(values: list[Any], defaults: Sequence[Any]) -> list[Any]:
    """The values but for those at their end that are the defaults."""
    while values and values[-1] == defaults[len(values) - 1]:
        del values[-1]
    return values


def _with(values: list[Any], defaults: Sequence[Any]) -> list[Any]:
    """The inverse of ``_without``."""
    return [*values, *defaults[len(values) :]]


def _box(values: Sequence[float]) -> Box:
    x0, y0, x1, y1 = values
    return Box(float(x0), float(y0), float(x1), float(y1))
