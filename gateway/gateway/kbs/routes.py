"""Knowledge bases: make, list, look, change, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from atoll.access.admit import Access, KbAccess
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.principal import Action
from atoll.domain.reader import Reader
from atoll.errors import Forbidden
from gateway.auth import Authorized, InKb
from gateway.kbs.schemas import KbChange, KbIn, KbOut, KbsOut
from gateway.runtime import Live, Runtime
from gateway.wire import TextCursor

MAX_PAGE = 500

router = APIRouter(prefix="/v1/kbs", tags=["knowledge bases"])


@router.get("")
async def list_kbs(
    access: Annotated[Access, Depends(Authorized(Action.READ))],
    live: Live,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: TextCursor = None,
) -> KbsOut:
    """List the knowledge bases of the caller's key, by name."""
    allowed = access.principal.kbs
    found = [
        kb
        for kb in await live.ports.records.knowledge_bases.list(access.principal.tenant)
        if (allowed is None or kb.uid in allowed) and (cursor is None or kb.name > cursor)
    ]
    shown = found[:limit]
    return KbsOut(
        kbs=[await _seen(kb, access, live) for kb in shown],
        next_cursor=shown[-1].name if len(found) > limit else None,
    )


@router.post("", status_code=201)
async def create_kb(
    wanted: KbIn, access: Annotated[Access, Depends(Authorized(Action.MANAGE_KBS))], live: Live
) -> KbOut:
    """Make a knowledge base."""
    if access.principal.kbs is not None:
        raise Forbidden("a key limited to some knowledge bases makes no other ones; use a key for all of them")
    kb = await live.ports.records.knowledge_bases.create(
        access.principal.tenant,
        wanted.name,
        language=wanted.language,
        settings=wanted.settings,
        quota=wanted.quota.to_domain(),
        actor=access.actor,
    )
    return await _seen(kb, access, live)


@router.get("/{kb}")
async def get_kb(access: Annotated[KbAccess, Depends(InKb(Action.READ))], live: Live) -> KbOut:
    """Return a knowledge base."""
    return await _seen(
        await live.ports.records.knowledge_bases.get(access.principal.tenant, access.kb_name), access, live
    )


@router.patch("/{kb}")
async def change_kb(
    wanted: KbChange, access: Annotated[KbAccess, Depends(InKb(Action.MANAGE_KBS))], live: Live
) -> KbOut:
    """Change settings or quota."""
    if access.reader.labels is not None:
        raise Forbidden("a key limited to some labels may not change what holds for documents that it does not see")
    kb = await live.ports.records.knowledge_bases.update(
        access.principal.tenant,
        access.kb_name,
        settings=wanted.settings,
        quota=None if wanted.quota is None else wanted.quota.to_domain(),
        actor=access.actor,
    )
    return await _seen(kb, access, live)


@router.delete("/{kb}", status_code=204, response_class=Response)
async def delete_kb(access: Annotated[KbAccess, Depends(InKb(Action.MANAGE_KBS))], live: Live) -> Response:
    """Delete a knowledge base with all its documents."""
    if access.reader.labels is not None:
        raise Forbidden("a key limited to some labels may not delete documents that it does not see")
    await live.ports.records.knowledge_bases.delete(access.principal.tenant, access.kb_name, access.actor)
    return Response(status_code=204)


async def _seen(kb: KnowledgeBase, access: Access, live: Runtime) -> KbOut:
    reader = Reader(access.principal.tenant, kb.uid, access.principal.labels)
    if reader.labels is None:
        return KbOut.of(kb)
    page = await live.ports.records.catalogue.page(reader, status=None, name=None, limit=1, before=None)
    return KbOut.of(kb, sum(page.counts.values()))
