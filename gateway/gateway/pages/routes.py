"""What a reader opens behind a citation: passages, pages, and pages as images with marks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from atoll.access.admit import KbAccess
from atoll.domain.ids import DocumentUid
from atoll.domain.page import RESOLUTIONS
from atoll.domain.principal import Action
from atoll.pages.views import PageViews
from gateway.auth import InKb
from gateway.errors import refusals
from gateway.pages.schemas import (
    HeatmapIn,
    PageOut,
    PassageOut,
    PassagesOut,
    PlacedPassage,
    SkippedItem,
    SkippedOut,
)
from gateway.runtime import Live, kept
from gateway.wire import Cursor, PageNumber

router = APIRouter(prefix="/v1/kbs/{kb}/documents/{document}", tags=["pages"])

#: A picture, or word that this installation draws none.
_PNG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/png": {}}}, **refusals(501)}

Reading = Annotated[KbAccess, Depends(InKb(Action.READ))]
Writing = Annotated[KbAccess, Depends(InKb(Action.WRITE))]
Linked = Annotated[KbAccess, Depends(InKb(Action.READ, links=True))]
Views = Annotated[PageViews, Depends(kept(PageViews))]

_MAX_PASSAGES = 500
MAX_SKIPPED = 1000
_MAX_MARKS = 64
#: No copy of a page stays behind where its document may be deleted or the key revoked; the gateway keeps drawn pages.
_UNSTORED = {"Cache-Control": "private, no-store"}
Resolution = Annotated[int, Query(description="Dots per inch.", json_schema_extra={"enum": list(RESOLUTIONS)})]


@router.get("/passages")
async def list_passages(
    document: str,
    access: Reading,
    live: Live,
    limit: Annotated[int, Query(ge=1, le=_MAX_PASSAGES)] = 100,
    cursor: Cursor = None,
) -> PassagesOut:
    """List a document's passages in order."""
    after = -1 if cursor is None else cursor
    found = await live.ports.records.passages.of_document(
        access.reader, DocumentUid(document), after=after, limit=limit + 1
    )
    shown = found[:limit]
    return PassagesOut(
        passages=[PassageOut.of(passage) for passage in shown],
        next_cursor=str(shown[-1].ordinal) if len(found) > limit else None,
    )


@router.get("/skipped")
async def list_skipped(
    document: str, access: Writing, views: Views, limit: Annotated[int, Query(ge=1, le=MAX_SKIPPED)] = MAX_SKIPPED
) -> SkippedOut:
    """List what was found in a document and is in none of its passages: hidden text, heads and feet of pages, members.

    For those who may change the document. `total` counts all of it, `items` are the first.
    """
    found = await views.left_out(access.reader, DocumentUid(document))
    return SkippedOut(items=[SkippedItem.of(each) for each in found[:limit]], total=len(found))


@router.get("/pages/{page}.png", response_class=Response, responses=_PNG)
async def draw_page(
    document: str,
    page: PageNumber,
    access: Linked,
    views: Views,
    mark: Annotated[list[str] | None, Query(max_length=_MAX_MARKS, description="Passages to highlight.")] = None,
    dpi: Resolution = RESOLUTIONS[0],
) -> Response:
    """Return a page as PNG, with passages highlighted."""
    drawing = await views.drawing(access.reader, DocumentUid(document), page, dpi=dpi, marks=mark or ())
    return Response(await views.draw(drawing), media_type="image/png", headers=_UNSTORED)


@router.get("/pages/{page}")
async def get_page(document: str, page: PageNumber, access: Reading, views: Views) -> PageOut:
    """Return a page's size and where its passages stand."""
    layout = await views.layout(access.reader, DocumentUid(document), page)
    return PageOut(
        page=page,
        label=layout.label,
        width=layout.width,
        height=layout.height,
        passages=[PlacedPassage(id=passage, boxes=list(boxes)) for passage, boxes in layout.passages.items()],
    )


@router.post("/pages/{page}/heatmap", response_class=Response, responses=_PNG)
async def draw_heatmap(document: str, page: PageNumber, wanted: HeatmapIn, access: Reading, views: Views) -> Response:
    """Return a page as PNG, lit where it answers a query; by the stored page vectors."""
    image = await views.heatmap(access.reader, DocumentUid(document), page, wanted.query)
    return Response(image, media_type="image/png", headers=_UNSTORED)
