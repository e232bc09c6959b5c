"""What parsing gives: pages, and blocks of lines that know where on a page they stand."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

#: Resolutions in which pages are drawn, dots per inch; the first is the one that is meant when none is named.
RESOLUTIONS = (96, 150)


class Box(NamedTuple):
    """A rectangle in page points (1/72 inch), origin at the top left of the page as it is shown."""

    x0: float
    y0: float
    x1: float
    y1: float

    def union(self, other: Box) -> Box:
        """The smallest box that covers both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def rounded(self) -> Box:
        """The same box to a tenth of a point, the precision that is stored."""
        return Box(round(self.x0, 1), round(self.y0, 1), round(self.x1, 1), round(self.y1, 1))


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How warm places of a page are, 0 to 255 each: the cells of a grid (columns, rows) in raster order, or boxes."""

    levels: bytes
    grid: tuple[int, int] | None
    boxes: tuple[Box, ...] = ()


class BlockKind(StrEnum):
    """What a block is to its reader."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CODE = "code"
    QUOTE = "quote"
    CAPTION = "caption"
    FOOTNOTE = "footnote"


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it is shown, rotation applied: ``number`` counts from 1, sizes are in points."""

    number: int
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """Text in logical order, and the place on the page where exactly these words are seen.

    ``joined`` says that the block's next line goes on without a space: a word, an address or a run of a script
    without spaces was broken at the margin.
    """

    text: str
    page: int
    box: Box
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, in reading order; ``level`` is 1 to 6 for headings and 0 otherwise."""

    kind: BlockKind
    lines: tuple[Line, ...]
    level: int = 0

    @property
    def text(self) -> str:
        """The lines as one text: code keeps its line breaks, everything else flows."""
        return "".join(line.text + gap for line, gap in zip(self.lines, self._gaps(), strict=True))

    def line_offsets(self) -> tuple[int, ...]:
        """Where in ``text`` each line starts, so that a character span finds its boxes."""
        offsets, at = [], 0
        for line, gap in zip(self.lines, self._gaps(), strict=True):
            offsets.append(at)
            at += len(line.text) + len(gap)
        return tuple(offsets)

    def _gaps(self) -> list[str]:
        space = "\n" if self.kind is BlockKind.CODE else " "
        return ["" if line.joined else space for line in self.lines[:-1]] + ([""] if self.lines else [])


@dataclass(frozen=True, slots=True)
class ParseWarning:
    """Something the reader of a document should know although it could be read, such as a page without text."""

    type: str
    message: str
    page: int | None = None


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document as pages and blocks in reading order."""

    title: str | None
    pages: tuple[Page, ...]
    blocks: tuple[Block, ...]
    warnings: tuple[ParseWarning, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain values for any JSON writer; a line is ``[text, page, x0, y0, x1, y1, joined]``."""
        return {
            "title": self.title,
            "pages": [[page.width, page.height] for page in self.pages],
            "blocks": [
                [
                    block.kind.value,
                    block.level,
                    [[line.text, line.page, *line.box, line.joined] for line in block.lines],
                ]
                for block in self.blocks
            ],
            "warnings": [[warning.type, warning.message, warning.page] for warning in self.warnings],
        }

    @classmethod
    def from_json(cls, value: Any) -> ParsedDocument:
        """The document that ``to_json`` wrote.

        Raises:
            ValueError: the value does not have that shape, or a line is not on one of the pages.
        """
        try:
            pages = tuple(
                Page(number, float(width), float(height))
                for number, (width, height) in enumerate(value["pages"], start=1)
            )
            blocks = tuple(
                Block(BlockKind(kind), tuple(_line(line, len(pages)) for line in lines), int(level))
                for kind, level, lines in value["blocks"]
            )
            warnings = tuple(ParseWarning(str(kind), str(message), page) for kind, message, page in value["warnings"])
            title = value["title"]
        except (KeyError, TypeError, IndexError) as err:
            raise ValueError(f"not a parsed document: {err}") from err
        return cls(None if title is None else str(title), pages, blocks, warnings)


def _line(value: Any, page_count: int) -> Line:
    text, page, x0, y0, x1, y1, joined = value
    if not isinstance(text, str) or not 1 <= page <= page_count:
        raise ValueError("not a parsed document: a line is on no page")
    return Line(text, page, Box(float(x0), float(y0), float(x1), float(y1)), bool(joined))
