"""API keys: make, list, revoke. A key never makes, sees or revokes one that could do more than itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll.access import keys
from atoll.access.admit import Access
from atoll.access.authorize import covers
from atoll.domain.ids import KeyId
from atoll.domain.principal import Action, ApiKey, Principal, key_of
from atoll.errors import BadInput, Forbidden, NotFound
from gateway.auth import Authorized
from gateway.keys.schemas import KeyIn, KeyOut, KeysOut, NewKeyOut, chosen, key_fields
from gateway.runtime import Live, Runtime
from gateway.wire import NameCursor

MAX_PAGE = 500

router = APIRouter(prefix="/v1/keys", tags=["keys"])

Managing = Annotated[Access, Depends(Authorized(Action.MANAGE_KEYS))]


@router.get("")
async def list_keys(
    access: Managing,
    live: Live,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: NameCursor = None,
) -> KeysOut:
    """List keys, oldest first."""
    found = [key for key in await live.ports.keys.list(access.principal.tenant) if _within(access.principal, key)]
    if cursor is not None:
        at = next((at for at, key in enumerate(found) if key.id == cursor), None)
        if at is None:
            raise BadInput("the cursor is not one that a listing returned; start again without it")
        found = found[at + 1 :]
    shown = found[:limit]
    return KeysOut(
        keys=[KeyOut(**key_fields(key)) for key in shown],
        next_cursor=shown[-1].id if len(found) > limit else None,
    )


@router.post("", status_code=201)
async def create_key(wanted: KeyIn, access: Managing, live: Live) -> NewKeyOut:
    """Make a key. Its secret stands in this answer and nowhere else."""
    kbs, labels = chosen(wanted.kbs), chosen(wanted.labels)
    if kbs is not None and access.principal.kbs is None:
        await _check_kbs(kbs, access, live)
    if not covers(access.principal, wanted.role, kbs, labels):
        raise Forbidden("a key cannot give rights that it does not have: role, knowledge bases, labels")
    if wanted.expires_at is not None and wanted.expires_at <= datetime.now(UTC):
        raise BadInput("expires_at lies in the past")
    holder = key_of(access.principal.subject)
    own = None if holder is None else await live.ports.keys.find(holder)
    limit = None if own is None else own.expires_at
    if limit is not None and (wanted.expires_at is None or wanted.expires_at > limit):
        raise Forbidden(f"a key cannot make one that outlives it; set expires_at to {limit.isoformat()} or earlier")
    key, secret = keys.issue(
        live.ports.pepper,
        tenant=access.principal.tenant,
        name=wanted.name,
        role=wanted.role,
        kbs=kbs,
        labels=labels,
        expires_at=wanted.expires_at,
    )
    await live.ports.keys.create(key, access.actor)
    return NewKeyOut(**key_fields(key), secret=secret)


@router.get("/{key}")
async def get_key(key: str, access: Managing, live: Live) -> KeyOut:
    """Return a key without its secret."""
    return KeyOut(**key_fields(await _known(key, access, live)))


@router.delete("/{key}")
async def revoke_key(key: str, access: Managing, live: Live) -> KeyOut:
    """Revoke a key, from the next request on; the last owner key without limits stays."""
    known = await _known(key, access, live)
    revoked = await live.ports.keys.revoke(access.principal.tenant, known.id, access.actor)
    return KeyOut(**key_fields(revoked))


async def _known(key: str, access: Access, live: Runtime) -> ApiKey:
    known = await live.ports.keys.find(KeyId(key))
    if known is None or known.tenant != access.principal.tenant or not _within(access.principal, known):
        raise NotFound(f"there is no key {key[:64]}")
    return known


async def _check_kbs(names: frozenset[str], access: Access, live: Runtime) -> None:
    """Refuse a misspelt knowledge base: its key would be good for nothing. Raises BadInput."""
    there = {kb.name for kb in await live.ports.knowledge_bases.list(access.principal.tenant)}
    if missing := sorted(names - there):
        raise BadInput(f"there is no knowledge base {missing[0]}; make it first, or name one of `GET /v1/kbs`")


def _within(principal: Principal, key: ApiKey) -> bool:
    return covers(principal, key.role, key.kbs, key.labels)
