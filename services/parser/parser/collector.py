"""Gathers what parsing finds, within the limits on content."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from atoll.domain.block import WRAPPED, Block, BlockKind, Line, Source
from atoll.domain.page import Box, Page
from atoll.domain.parsed import ParsedDocument, ParseWarning, Skipped, block_out
from atoll.domain.reading import HowRead
from parser.text import hides_characters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parser.appended import PagedMember
    from parser.limits import ContentLimits
    from parser.recognise.engine import Engine

#: Warnings of one type that are kept one by one; the rest are counted.
_KEPT_WARNINGS = 50
_TOLD_CHARACTERS = 400
#: How much of what a file says of itself is kept as metadata, beside what its uploader says (16 KiB).
_METADATA_BYTES, _METADATA_FIELDS = 4096, 64
#: Bytes of members with pages of their own that are held at a time: they lie in memory.
MOST_PAGED_BYTES = 64 * 1024 * 1024
#: What the caption of a table begins with, so that one below its table is not taken for a picture's.
_TABLE_CAPTION = re.compile(r"(?:Table|Tab\.|Tabelle|Tableau|Tabla|Tabella|Tabela)\s", re.IGNORECASE)


class Collector:
    """Pages, blocks and warnings of one document; raises `DocumentTooLarge` as soon as a limit is passed."""

    def __init__(self, limits: ContentLimits, engine: Engine | None = None) -> None:
        self.limits = limits
        #: What reads pictures, where there is one.
        self.engine = engine
        #: What opens the file, where it is encrypted.
        self.password: str | None = None
        #: Members that have pages of their own, in order; read when the rest is.
        self.paged_members: list[PagedMember] = []
        self._paged_bytes = 0
        self._expected: Block | None = None
        self.title: str | None = None
        #: The encoding of a text, where it was one.
        self.encoding: str | None = None
        #: What the file says of itself.
        self.metadata: dict[str, Any] = {}
        self._read_by = ("", "")
        self._pages: list[Page] = []
        self._blocks: list[bytes] = []
        self._last: Block | None = None
        self._skipped: list[Skipped] = []
        self._warnings: list[ParseWarning] = []
        self._warned: Counter[str] = Counter()
        self._characters = 0
        self._first_hiding_page: int | None = None
        self._hides = False

    def read_by(self, parser: str, why: str) -> None:
        """Remember what reads the file, and why that was chosen."""
        self._read_by = (parser, why)

    def also_read_by(self, engine: str) -> None:
        """Remember that an engine has read pictures of the document."""
        parser, why = self._read_by
        if not parser.endswith(engine):
            self._read_by = (f"{parser}, {engine}", why)

    def told(self, metadata: Mapping[str, Any]) -> None:
        """Take what the file says of itself, as much of it as a record holds; what is left out is told by name."""
        room, left = _METADATA_BYTES, []
        for name, value in metadata.items():
            size = len(orjson.dumps({name: value}))
            if size <= room and len(self.metadata) < _METADATA_FIELDS:
                self.metadata[name] = value
                room -= size
            else:
                left.append(name)
        if left:
            told = ", ".join(left)[:_TOLD_CHARACTERS]
            self.warn("metadata_not_taken", f"too much for a document's metadata, so it is only text: {told}")

    def add_page(self, width: float, height: float, label: str = "") -> int:
        """Begin a page of that size in points and return its number."""
        number = len(self._pages) + 1
        self.limits.check_pages(number)
        self._pages.append(Page(number, round(width, 1), round(height, 1), label))
        return number

    @property
    def page_count(self) -> int:
        """How many pages there are so far."""
        return len(self._pages)

    def expect(self, block: Block | None) -> None:
        """Put a block before the next one that is added, or none any more."""
        self._expected = block

    def hold(self, member: PagedMember) -> bool:
        """Keep a member for later; False when there are too many bytes of such members already."""
        if self._paged_bytes + len(member.content) > MOST_PAGED_BYTES:
            return False
        self._paged_bytes += len(member.content)
        self.paged_members.append(member)
        return True

    def label_page(self, label: str) -> None:
        """Call the last page so."""
        self._pages[-1] = replace(self._pages[-1], label=label)

    def add(self, block: Block) -> None:
        """Add a block; one without text is dropped, and a caption next to its table becomes the table's."""
        if not any(line.text for line in block.all_lines):
            return
        if self._expected is not None:
            expected, self._expected = self._expected, None
            self.add(expected)
        before = self._last
        if before and before.kind is BlockKind.CAPTION and block.kind is BlockKind.TABLE and not block.caption:
            self._last = replace(block, caption=before.lines)
        elif (
            before
            and before.kind is BlockKind.TABLE
            and not before.caption
            and block.kind is BlockKind.CAPTION
            and _TABLE_CAPTION.match(block.text)
        ):
            self._last = replace(before, caption=block.lines)
        else:
            self._keep()
            self._last = block

    def _keep(self) -> None:
        """Write down the last block: a long document's blocks take a tenth of the room so."""
        if self._last is not None:
            self._blocks.append(orjson.dumps(block_out(self._last)))
            self._last = None

    def skip(self, kind: str, page: int | None, box: Box | None, text: str) -> None:
        """Keep text that is left out because nobody sees it, with the reason and, if it has one, its place."""
        self._skipped.append(Skipped(kind, page, box and box.rounded(), text))

    def pass_over(self, shown: str, why: str) -> None:
        """Tell of a member that is not read. Warnings are counted past some number; what was left out is not."""
        self.warn("member_not_read", f"{shown} {why}")
        self.skip("member_not_read", None, None, f"{shown} {why}"[:_TOLD_CHARACTERS])

    @property
    def heights(self) -> list[float]:
        """The heights of the pages so far, in points."""
        return [page.height for page in self._pages]

    def count_characters(self, count: int) -> None:
        """Count extracted text against its limit."""
        self._characters += count
        self.limits.check_characters(self._characters)

    def look_for_hiding(self, text: str, page: int | None = None) -> None:
        """Remember when raw text holds characters that hide something."""
        if not self._hides and hides_characters(text):
            self._hides = True
            self._first_hiding_page = page

    def warn(self, kind: str, message: str, page: int | None = None) -> None:
        """Tell the reader something; one type is told at most fifty times, then counted."""
        self._warned[kind] += 1
        if self._warned[kind] <= _KEPT_WARNINGS:
            self._warnings.append(ParseWarning(kind, message, page))

    def write(self, file: BinaryIO) -> None:
        """Write everything gathered as the JSON of a `ParsedDocument`."""
        self._keep()
        warnings = list(self._warnings)
        warnings += (
            ParseWarning(kind, f"{count - _KEPT_WARNINGS} more warnings of this kind")
            for kind, count in self._warned.items()
            if count > _KEPT_WARNINGS
        )
        if self._hides:
            warnings.append(
                ParseWarning(
                    "hidden_characters",
                    "invisible characters that can hide text from a reader were removed",
                    self._first_hiding_page,
                )
            )
        if not self._blocks and not warnings:
            warnings.append(ParseWarning("no_text", "nothing that can be searched was found in the file"))
        how = HowRead(*self._read_by, self.encoding, self.metadata)
        document = ParsedDocument(
            self.title or None, tuple(self._pages), (), tuple(warnings), tuple(self._skipped), how
        )
        # The quotes tell the key from any text, where they would stand behind a backslash.
        before, after = orjson.dumps(document.to_json()).split(b'"blocks":[]', 1)
        file.write(before + b'"blocks":[')
        file.writelines((b"," if number else b"") + block for number, block in enumerate(self._blocks))
        file.write(b"]" + after)


def line(
    text: str,
    page: int,
    box: Box,
    *,
    gap: str = WRAPPED,
    starts: Sequence[int] = (),
    spellings: Sequence[str] = (),
    source: Source = Source.LAYER,
) -> Line:
    """A line with its box at the precision that is stored."""
    return Line(text, page, box.rounded(), gap, tuple(starts), tuple(spellings), source)
