"""What a document is read into: blocks of lines and tables of cells that know where on a page they stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from atoll.domain.page import Box

#: Stands between the cells of a table's row in text.
CELL_SEPARATOR = " | "
#: How a line goes on: the same word, the next word of a paragraph that was wrapped, or a line end that is meant.
JOINED, WRAPPED, BROKEN = "", " ", "\n"


class BlockKind(StrEnum):
    """What a block is to its reader."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"
    FORMULA = "formula"
    CODE = "code"
    QUOTE = "quote"
    CAPTION = "caption"
    FIGURE = "figure"
    FOOTNOTE = "footnote"
    NOTE = "note"
    PAGE_HEADER = "page_header"
    PAGE_FOOTER = "page_footer"
    MARGIN = "margin"

    @property
    def is_page_furniture(self) -> bool:
        """Whether it belongs to the page rather than to the text: kept with the page, never in a passage."""
        return self in {BlockKind.PAGE_HEADER, BlockKind.PAGE_FOOTER, BlockKind.MARGIN}


class Source(StrEnum):
    """Where a text was read: the page's text layer, a picture of it, or the file's structure (forms, notes)."""

    LAYER = "layer"
    OCR = "ocr"
    STRUCTURE = "structure"


@dataclass(frozen=True, slots=True)
class Line:
    """Text in logical order, and the place on the page where exactly these words are seen.

    ``gap`` is what stands between this line and its block's next one: `JOINED`, `WRAPPED` or `BROKEN`. ``starts`` are
    the distances in whole points from the edge where reading begins to each of the blank-separated words: from the
    left edge and positive, or from the right edge and negative; empty where they are not known. ``spellings`` are
    other spellings that are searched as well: of a word that is divided at the line's end, with or without its hyphen,
    and readings that are printed above words. ``is_seen`` says that a person
    who looks at the page sees it.
    """

    text: str
    page: int
    box: Box
    gap: str = WRAPPED
    starts: tuple[int, ...] = ()
    spellings: tuple[str, ...] = ()
    source: Source = Source.LAYER
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table; a merged cell stands once, in the first of its rows.

    ``column`` counts from 0; ``columns`` and ``rows`` are how many it spans. ``box`` is the whole cell on the page of
    its first line. Of a sheet, ``address`` is its place ("B7"), ``value`` what is stored and ``formula`` what was
    calculated; the lines hold what is shown.
    """

    lines: tuple[Line, ...]
    column: int
    columns: int = 1
    rows: int = 1
    is_header: bool = False
    box: Box | None = None
    address: str = ""
    value: str = ""
    formula: str = ""

    @property
    def text(self) -> str:
        """The cell's lines as one."""
        return joined_text(self.lines).replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column; a column that a cell of an earlier row reaches into has none here."""

    cells: tuple[Cell, ...]
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, in reading order, or a table's rows.

    ``level`` is 1 to 6 for headings and 0 otherwise. ``label`` is a list item's number as it is printed, with which
    its text begins. ``caption`` is a table's; ``sheet`` the name of the sheet it stands in.
    """

    kind: BlockKind
    lines: tuple[Line, ...]
    level: int = 0
    label: str = ""
    rows: tuple[Row, ...] = ()
    caption: tuple[Line, ...] = ()
    sheet: str = ""

    @property
    def text(self) -> str:
        """The lines, or caption and rows, as one text; a row is a line with its cells under their columns."""
        if self.kind is not BlockKind.TABLE:
            return joined_text(self.lines)
        caption = [joined_text(self.caption).replace("\n", " ")] if self.caption else []
        return "\n".join([*caption, *(CELL_SEPARATOR.join(cell_texts(row, self.columns)) for row in self.full_rows())])

    @property
    def columns(self) -> int:
        """How many columns a table has."""
        return max((cell.column + cell.columns for row in self.rows for cell in row.cells), default=0)

    @property
    def all_lines(self) -> Iterator[Line]:
        """Every line, those of a table's caption and cells included."""
        yield from self.lines
        yield from self.caption
        for row in self.rows:
            for cell in row.cells:
                yield from cell.lines

    def full_rows(self) -> list[Row]:
        """The rows with the cells that reach into them from above, so that each can be understood alone."""
        full: list[Row] = []
        reaching: dict[int, tuple[Cell, int]] = {}
        for row in self.rows:
            cells = {column: cell for column, (cell, _) in reaching.items()}
            cells |= {cell.column: cell for cell in row.cells}
            full.append(Row(tuple(cells[column] for column in sorted(cells)), row.is_header))
            reaching = {column: (cell, left - 1) for column, (cell, left) in reaching.items() if left > 1}
            reaching |= {cell.column: (cell, cell.rows - 1) for cell in row.cells if cell.rows > 1}
        return full


def joined_text(lines: Sequence[Line]) -> str:
    """Lines as one text."""
    return "".join(line.text + line.gap for line in lines[:-1]) + (lines[-1].text if lines else "")


def cell_texts(row: Row, columns: int) -> list[str]:
    """The text of each column of a row; a cell that spans several stands in its first."""
    texts = [""] * columns
    for cell in row.cells:
        texts[cell.column] = cell.text
    return texts


def shown_lines(block: Block) -> Iterator[Line]:
    """A block's lines as they stand on their pages, each row of a table as one line a page."""
    yield from block.lines
    yield from block.caption
    for row in block.rows:
        on_pages: dict[int, Line] = {}
        for cell in row.cells:
            gap = CELL_SEPARATOR
            for line in cell.lines:
                known = on_pages.get(line.page)
                on_pages[line.page] = (
                    Line(f"{known.text}{gap}{line.text}", line.page, known.box.union(line.box)) if known else line
                )
                gap = " "
        yield from on_pages.values()


def without_furniture(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks that are text of the document, not of its pages."""
    return (block for block in blocks if not block.kind.is_page_furniture)
