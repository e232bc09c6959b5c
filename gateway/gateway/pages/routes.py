"""What a reader opens behind a citation: passages, pages, and pages as images with marks."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from atoll.domain import media
from atoll.domain.document import Document
from atoll.domain.ids import DocumentUid
from atoll.domain.page import Box
from atoll.domain.principal import Action
from atoll.errors import BadInput, NotAvailable, NotFound
from atoll.ingest.stages.parse import RENDITION
from atoll.query.search.timings import Timings
from gateway.auth import InKb, KbAccess
from gateway.pages.heatmap import heat_of
from gateway.pages.schemas import HeatmapIn, PageOut, PassageOut, PassagesOut, PlacedPassage
from gateway.pages.sizes import page_size
from gateway.runtime import Live, Runtime

router = APIRouter(prefix="/v1/kbs/{kb}/documents/{document}", tags=["pages"])

Reading = Annotated[KbAccess, Depends(InKb(Action.READ))]
Linked = Annotated[KbAccess, Depends(InKb(Action.READ, links=True))]
PageNumber = Annotated[int, Path(ge=1, description="Pages count from 1.")]

_MAX_PASSAGES = 500
_MAX_MARKS = 64
_RESOLUTIONS = (96, 150)
#: Raised when pages are drawn in another way, so that old drawings are not shown.
_DRAWING = 1


@router.get("/passages")
async def list_passages(
    document: str,
    access: Reading,
    live: Live,
    limit: Annotated[int, Query(ge=1, le=_MAX_PASSAGES)] = 100,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
) -> PassagesOut:
    """List a document's passages in order."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal()):
        raise BadInput("the cursor is not one that a listing returned; start again without it")
    after = -1 if cursor is None else int(cursor)
    found = await live.ports.passages.of_document(
        access.kb, DocumentUid(document), access.labels, after=after, limit=limit + 1
    )
    shown = found[:limit]
    return PassagesOut(
        passages=[PassageOut.of(passage) for passage in shown],
        next_cursor=str(shown[-1].ordinal) if len(found) > limit else None,
    )


@router.get("/pages/{page}.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def draw_page(
    document: str,
    page: PageNumber,
    access: Linked,
    live: Live,
    mark: Annotated[list[str] | None, Query(max_length=_MAX_MARKS, description="Passages to highlight.")] = None,
    dpi: int = _RESOLUTIONS[0],
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return a page as PNG, with passages highlighted."""
    if dpi not in _RESOLUTIONS:
        raise BadInput(f"dpi must be one of {', '.join(map(str, _RESOLUTIONS))}")
    found = await live.ports.catalogue.get(access.kb, DocumentUid(document), access.labels)
    boxes = await _marked(live, access, found.uid, page, mark or [])
    name = _drawing_name(found.uid, page, dpi, boxes)
    # The browser asks each time whether it may still show the image: a deleted document's is 404 at once.
    headers = {"ETag": f'"{name}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and name in if_none_match:
        return Response(status_code=304, headers=headers)
    image = await _drawing(live, access, found, page, dpi, boxes)
    return Response(image, media_type="image/png", headers=headers)


@router.get("/pages/{page}")
async def get_page(document: str, page: PageNumber, access: Reading, live: Live) -> PageOut:
    """Return a page's size and where its passages stand."""
    uid = DocumentUid(document)
    placed = await live.ports.passages.of_page(access.kb, uid, access.labels, page)
    artefacts = live.ports.blobs.artefacts_dir(access.kb, uid)
    width, height = await asyncio.to_thread(page_size, artefacts, page)
    return PageOut(
        page=page,
        width=width,
        height=height,
        passages=[PlacedPassage(id=passage, boxes=list(boxes)) for passage, boxes in placed],
    )


@router.post("/pages/{page}/heatmap", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def draw_heatmap(document: str, page: PageNumber, wanted: HeatmapIn, access: Reading, live: Live) -> Response:
    """Return a page as PNG, lit where it answers a query; by the stored page vectors."""
    retriever = live.ports.pages
    found = await live.ports.catalogue.get(access.kb, DocumentUid(document), access.labels)
    if retriever is None:
        raise NotAvailable("heatmaps need a page-image server: set ATOLL_PAGES__URL")
    # The catalogue knows documents on their way too; only of what readers see is anything told.
    await live.ports.passages.of_page(access.kb, found.uid, access.labels, page)
    await asyncio.to_thread(page_size, live.ports.blobs.artefacts_dir(access.kb, found.uid), page)
    query = await retriever.ask(wanted.query, Timings(), needed=True)
    assert query is not None, "it was needed"
    view = await retriever.look(access.kb, found.uid, page, query)
    pdf = _pdf(live, access, found.uid, found.media_type)
    async with live.drawings.enter():
        image = await live.ports.parser.draw(pdf=pdf, page=page, dpi=_RESOLUTIONS[0], heat=heat_of(view))
    return Response(image, media_type="image/png", headers={"Cache-Control": "private, no-store"})


def _drawing_name(document: DocumentUid, page: int, dpi: int, boxes: list[Box]) -> str:
    return hashlib.sha256(repr((_DRAWING, document, page, dpi, boxes)).encode()).hexdigest()[:32]


async def _drawing(live: Runtime, access: KbAccess, document: Document, page: int, dpi: int, boxes: list[Box]) -> bytes:
    """Return a page as PNG, drawn now or earlier."""
    name = _drawing_name(document.uid, page, dpi, boxes)
    path = live.ports.blobs.pages_dir(access.kb, document.uid) / f"{page}-{name}.png"
    image = await live.pages.get(path)
    if image is None:
        pdf = _pdf(live, access, document.uid, document.media_type)
        async with live.drawings.enter():
            image = await live.ports.parser.draw(pdf=pdf, page=page, dpi=dpi, marks=boxes)
        await live.pages.put(path, image)
    return image


async def _marked(live: Runtime, access: KbAccess, document: DocumentUid, page: int, marks: list[str]) -> list[Box]:
    if not marks:
        return []
    placed = dict(await live.ports.passages.of_page(access.kb, document, access.labels, page))
    missing = [mark for mark in marks if mark not in placed]
    if missing:
        raise NotFound(f"page {page} has no passage {missing[0][:64]}")
    return [Box(*box) for passage, boxes in placed.items() if passage in marks for box in boxes]


def _pdf(live: Runtime, access: KbAccess, document: DocumentUid, media_type: str) -> FilePath:
    if media_type in media.PAGED:
        return live.ports.blobs.original(access.kb, document)
    return live.ports.blobs.artefacts_dir(access.kb, document) / RENDITION
