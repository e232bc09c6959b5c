"""Pages as readers open them: their size and passages, their image with marks, and where a question lights them up.

Which file is a document's PDF, what a drawing is called and that it is drawn once stand here, whatever front asks.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from atoll.domain import media
from atoll.domain.artefact import DOCUMENT, PAGE_SIZES, RENDITION, Artefact, artefact_of
from atoll.domain.document import Document, Stage
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import RESOLUTIONS, Box
from atoll.domain.parsed import Skipped, left_out
from atoll.domain.reader import Reader
from atoll.errors import ArtefactMissing, BadInput, NotAvailable, NotFound
from atoll.pages.cache import PageCache
from atoll.ports.artefacts import Artefacts
from atoll.ports.blobs import Blobs
from atoll.ports.catalogue import Catalogue
from atoll.ports.drawings import DrawingKey
from atoll.ports.heat import Heat
from atoll.ports.parser import Parser
from atoll.ports.passages import Passages

#: Raised when pages are drawn in another way, so that old drawings are not shown.
_DRAWING = 1


@dataclass(frozen=True, slots=True)
class PageLayout:
    """A page's size in points, what the document calls it, and the boxes of its passages, origin top left."""

    width: float
    height: float
    label: str | None
    passages: Mapping[PassageId, Sequence[tuple[float, float, float, float]]]


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page of a document that its asker may see, and how it is to be drawn."""

    document: Document
    page: int
    dpi: int
    marks: tuple[Box, ...]

    @property
    def name(self) -> str:
        """A name that is the same for the same picture, and only for it."""
        shown = (_DRAWING, self.document.uid, self.page, self.dpi, list(self.marks))
        return hashlib.sha256(repr(shown).encode()).hexdigest()[:32]


class PageViews:
    """Pages of the documents that a reader sees. All methods raise NotFound for what the reader may not see.

    Args:
        catalogue, passages: what the record store tells of documents and their places.
        blobs, artefacts: where their files and what was read from them lie.
        parser: draws pages.
        heat: looks at pages with a question; None when there is no page-image server.
        cache: keeps drawn pages.
        turn: opens the block in which one page is drawn. Raises QuotaExceeded when too many are.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        passages: Passages,
        blobs: Blobs,
        artefacts: Artefacts,
        parser: Parser,
        heat: Heat | None,
        cache: PageCache,
        turn: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._catalogue = catalogue
        self._passages = passages
        self._blobs = blobs
        self._artefacts = artefacts
        self._parser = parser
        self._heat = heat
        self._cache = cache
        self._turn = turn

    async def adopt(self) -> None:
        """Count the drawings of earlier processes towards the cache's bound."""
        await self._cache.adopt()

    async def layout(self, reader: Reader, document: DocumentUid, page: int) -> PageLayout:
        """Return a page's size and where its passages stand."""
        found = await self._catalogue.get(reader, document)
        placed = await self._passages.of_page(reader, found.id, page)
        width, height, *label = await self._size(found, page)
        return PageLayout(width, height, str(label[0]) if label else None, dict(placed))

    async def drawing(
        self, reader: Reader, document: DocumentUid, page: int, *, dpi: int, marks: Sequence[str]
    ) -> Drawing:
        """Return what is to be drawn: a page (from 1) with passages marked.

        Raises:
            BadInput: pages are not drawn at that resolution.
            NotFound: also when a marked passage is not on the page.
        """
        if dpi not in RESOLUTIONS:
            raise BadInput(f"dpi must be one of {', '.join(map(str, RESOLUTIONS))}")
        found = await self._catalogue.get(reader, document)
        return Drawing(found, page, dpi, await self._places(reader, found.id, page, marks))

    async def draw(self, drawing: Drawing) -> bytes:
        """Return a drawing as PNG, drawn now or earlier.

        Raises:
            NotFound: the document has no such page.
            QuotaExceeded: too many pages are being drawn.
            DocumentUnreadable, DocumentTooLarge, ParserDied, DependencyDown: as `Parser.draw`.
        """
        document = drawing.document
        key = DrawingKey(document.kb, document.uid, f"{drawing.page}-{drawing.name}")
        image = await self._cache.get(key)
        if image is None:
            async with self._turn():
                with await self._pdf(document) as pdf:
                    image = await self._parser.draw(
                        pdf=pdf, page=drawing.page, dpi=drawing.dpi, marks=list(drawing.marks)
                    )
            await self._cache.put(key, image)
        return image

    async def heatmap(self, reader: Reader, document: DocumentUid, page: int, question: str) -> bytes:
        """Return a page as PNG, lit where it answers a question.

        Raises:
            NotAvailable: there is no page-image server, or the page was embedded by another model.
            QuotaExceeded, DependencyDown, ModelReplyInvalid: as their names say.
        """
        found = await self._catalogue.get(reader, document)
        if self._heat is None:
            raise NotAvailable("heatmaps need a page-image server: set ATOLL_PAGES__URL")
        # The catalogue knows documents on their way too; only of what readers see is anything told.
        await self._passages.of_page(reader, found.id, page)
        await self._size(found, page)
        heat = await self._heat.of_page(_output(found, Stage.EMBED), page, question)
        async with self._turn():
            with await self._pdf(found) as pdf:
                return await self._parser.draw(pdf=pdf, page=page, dpi=RESOLUTIONS[0], heat=heat)

    async def pdf(self, reader: Reader, document: DocumentUid) -> BinaryIO:
        """Return the PDF whose pages are drawn, opened. Raises NotFound before the document is laid out."""
        try:
            return await self._pdf(await self._catalogue.get(reader, document))
        except ArtefactMissing as error:
            raise NotFound("the pages of this document are not laid out yet") from error

    async def left_out(self, reader: Reader, document: DocumentUid) -> Sequence[Skipped]:
        """Return what was found in a document and is in none of its passages. Raises NotFound before it was read."""
        found = await self._catalogue.get(reader, document)
        try:
            content = await self._artefacts.get(_output(found, Stage.PARSE), DOCUMENT)
        except ArtefactMissing as error:
            raise NotFound("this document was not read yet, or by a version that kept no account of it") from error
        return await asyncio.to_thread(lambda: left_out(orjson.loads(content)))

    async def _places(self, reader: Reader, document: DocumentUid, page: int, marks: Sequence[str]) -> tuple[Box, ...]:
        if not marks:
            return ()
        placed = dict(await self._passages.of_page(reader, document, page))
        missing = [mark for mark in marks if mark not in placed]
        if missing:
            raise NotFound(f"page {page} has no passage {missing[0][:64]}")
        return tuple(Box(*box) for passage, boxes in placed.items() if passage in marks for box in boxes)

    async def _size(self, document: Document, page: int) -> Sequence[Any]:
        """Return width and height of a page in points, and its label if it has one. Raises NotFound."""
        try:
            sizes = orjson.loads(await self._artefacts.get(_output(document, Stage.PARSE), PAGE_SIZES))
        except ArtefactMissing as error:
            raise NotFound("the pages of this document are not laid out yet") from error
        if not 1 <= page <= len(sizes):
            raise NotFound(f"the document has {len(sizes)} pages, not {page}")
        size: Sequence[Any] = sizes[page - 1]
        return size

    async def _pdf(self, document: Document) -> BinaryIO:
        parsed = _output(document, Stage.PARSE)
        # A document that has pages of its own has a rendition only where its own are encrypted.
        if document.media_type not in media.PAGED or await self._artefacts.exists(parsed, RENDITION):
            return await self._artefacts.open(parsed, RENDITION)
        return await self._blobs.open(document.kb, document.uid)


def _output(document: Document, stage: Stage) -> Artefact:
    return artefact_of(document.kb, document.uid, stage, document.artefacts)
