"""The graph: entities, what surrounds them, types, figures, and all of it as a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from atoll.access.admit import KbAccess
from atoll.domain.ids import EntityId
from atoll.domain.principal import Action
from atoll.query.neighbourhood import neighbourhood
from gateway.auth import InKb
from gateway.graph.export import ExportFormat, GraphExport
from gateway.graph.schemas import (
    EntitiesOut,
    EntityDetailOut,
    GraphStatsOut,
    LabelsOut,
    NeighbourhoodOut,
)
from gateway.runtime import Live

MAX_ENTITIES = 500
MAX_HOPS = 3
MAX_NEIGHBOURS = 200

router = APIRouter(prefix="/v1/kbs/{kb}/graph", tags=["graph"])

Reading = Annotated[KbAccess, Depends(InKb(Action.READ))]

_MEDIA_TYPES = {ExportFormat.GRAPHML: "application/graphml+xml", ExportFormat.JSONL: "application/x-ndjson"}


@router.get("/entities")
async def list_entities(
    access: Reading,
    live: Live,
    q: Annotated[str | None, Query(min_length=1, max_length=200, description="Part of the name.")] = None,
    type_: Annotated[str | None, Query(alias="type", max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_ENTITIES)] = 50,
) -> EntitiesOut:
    """List entities, those of most passages first."""
    found = await live.ports.records.atlas.entities(access.reader, text=q, type_=type_, limit=limit)
    return EntitiesOut.of(found)


@router.get("/entities/{entity}")
async def get_entity(entity: str, access: Reading, live: Live) -> EntityDetailOut:
    """Return an entity: how it is written, where, and some passages."""
    return EntityDetailOut.detailed(await live.ports.records.atlas.entity(access.reader, EntityId(entity)))


@router.get("/entities/{entity}/neighbourhood")
async def get_neighbourhood(
    entity: str,
    access: Reading,
    live: Live,
    hops: Annotated[int, Query(ge=1, le=MAX_HOPS)] = 1,
    limit: Annotated[int, Query(ge=1, le=MAX_NEIGHBOURS, description="Entities besides this one.")] = 50,
) -> NeighbourhoodOut:
    """Return the entities around one, nearest first, and what joins them."""
    return NeighbourhoodOut.of(
        await neighbourhood(live.ports.records.atlas, access.reader, EntityId(entity), hops=hops, limit=limit)
    )


@router.get("/labels")
async def list_labels(access: Reading, live: Live) -> LabelsOut:
    """List the types of entities."""
    return LabelsOut.of(await live.ports.records.atlas.census(access.reader))


@router.get("/stats")
async def get_stats(access: Reading, live: Live) -> GraphStatsOut:
    """Return how much there is."""
    return GraphStatsOut.of(await live.ports.records.atlas.census(access.reader), access.reader)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {media: {} for media in _MEDIA_TYPES.values()}}},
)
async def export_graph(
    access: Reading,
    live: Live,
    format_: Annotated[ExportFormat, Query(alias="format")] = ExportFormat.GRAPHML,
) -> StreamingResponse:
    """Stream the whole graph; the end of the file says of which revision it is and whether it changed meanwhile.

    A key that is limited to some labels is told neither: both speak of documents that it does not see.
    """
    pieces = GraphExport(live.ports.records.atlas_export, access.reader).write(format_)
    first = await anext(pieces)
    return StreamingResponse(
        _resumed(first, pieces),
        media_type=_MEDIA_TYPES[format_],
        headers={
            "Content-Disposition": f'attachment; filename="{access.kb_name}.{format_}"',
            "Cache-Control": "no-store",
        },
    )


async def _resumed(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest):  # type: ignore[type-var]
        yield first
        async for piece in rest:
            yield piece
