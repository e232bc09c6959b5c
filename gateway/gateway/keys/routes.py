"""API keys: make, list, change, revoke. A key never makes, sees or changes one that could do more than itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from atoll.access import keys
from atoll.access.admit import Access
from atoll.access.authorize import covers
from atoll.domain.ids import KeyId
from atoll.domain.principal import Action, ApiKey, Principal, key_of
from atoll.errors import BadInput, Conflict, Forbidden, NotFound
from gateway.auth import Authorized
from gateway.keys.names import BEYOND, ids_of, names_of
from gateway.keys.schemas import KeyChange, KeyIn, KeyOut, KeysOut, NewKeyOut, chosen, key_fields
from gateway.runtime import Live, Runtime
from gateway.wire import TextCursor

MAX_PAGE = 500

router = APIRouter(prefix="/v1/keys", tags=["keys"])

Managing = Annotated[Access, Depends(Authorized(Action.MANAGE_KEYS))]


@router.get("")
async def list_keys(
    access: Managing,
    live: Live,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: TextCursor = None,
) -> KeysOut:
    """List keys, oldest first."""
    tenant = access.principal.tenant
    found = [key for key in await live.ports.records.keys.list(tenant) if _within(access.principal, key)]
    if cursor is not None:
        at = next((at for at, key in enumerate(found) if key.id == cursor), None)
        if at is None:
            raise BadInput("the cursor is not one that a listing returned; start again without it")
        found = found[at + 1 :]
    shown = found[:limit]
    kbs = await live.ports.records.knowledge_bases.list(tenant)
    return KeysOut(
        keys=[
            KeyOut(**key_fields(key, None if key.kbs is None else {kb.name for kb in kbs if kb.uid in key.kbs}))
            for key in shown
        ],
        next_cursor=shown[-1].id if len(found) > limit else None,
    )


@router.post("", status_code=201)
async def create_key(wanted: KeyIn, access: Managing, live: Live) -> NewKeyOut:
    """Make a key. Its secret stands in this answer and nowhere else."""
    kbs = await ids_of(chosen(wanted.kbs), access, live)
    _check_end(wanted.expires_at)
    key, secret = keys.issue(
        live.ports.pepper,
        tenant=access.principal.tenant,
        name=wanted.name,
        role=wanted.role,
        kbs=kbs,
        labels=chosen(wanted.labels),
        expires_at=wanted.expires_at,
    )
    await _check_rights(key, access, live)
    await live.ports.records.keys.create(key, access.actor)
    return NewKeyOut(**await _fields(key, live), secret=secret)


@router.get("/{key}")
async def get_key(key: str, access: Managing, live: Live) -> KeyOut:
    """Return a key without its secret."""
    return KeyOut(**await _fields(await _known(key, access, live), live))


@router.patch("/{key}")
async def change_key(key: str, wanted: KeyChange, access: Managing, live: Live) -> KeyOut:
    """Change a key's name, role, knowledge bases, labels or end, from the next request on; its secret stays."""
    known = await _known(key, access, live)
    if known.revoked_at is not None:
        raise Conflict("the key was revoked; make another one")
    given: dict[str, Any] = {}
    if wanted.name is not None:
        given["name"] = wanted.name
    if wanted.role is not None:
        given["role"] = wanted.role
    if wanted.kbs is not None:
        given["kbs"] = await ids_of(chosen(wanted.kbs), access, live)
    if wanted.labels is not None:
        given["labels"] = chosen(wanted.labels)
    if "expires_at" in wanted.model_fields_set:
        given["expires_at"] = wanted.expires_at
        _check_end(wanted.expires_at)
    if not given:
        raise BadInput("nothing to change: give name, role, kbs, labels or expires_at")
    changed = replace(known, **given)
    await _check_rights(changed, access, live)
    return KeyOut(**await _fields(await live.ports.records.keys.change(known, changed, access.actor), live))


@router.delete("/{key}")
async def revoke_key(key: str, access: Managing, live: Live) -> KeyOut:
    """Revoke a key, from the next request on; the last owner key without limits stays."""
    known = await _known(key, access, live)
    revoked = await live.ports.records.keys.revoke(access.principal.tenant, known.id, access.actor)
    return KeyOut(**await _fields(revoked, live))


async def _known(key: str, access: Access, live: Runtime) -> ApiKey:
    known = await live.ports.records.keys.find(KeyId(key))
    if known is None or known.tenant != access.principal.tenant or not _within(access.principal, known):
        raise NotFound(f"there is no key {key[:64]}")
    return known


async def _check_rights(key: ApiKey, access: Access, live: Runtime) -> None:
    """Refuse a key that could do more than the caller, or for longer. Raises Forbidden."""
    if not _within(access.principal, key):
        raise Forbidden(BEYOND)
    holder = key_of(access.principal.subject)
    own = None if holder is None else await live.ports.records.keys.find(holder)
    limit = None if own is None else own.expires_at
    if limit is not None and (key.expires_at is None or key.expires_at > limit):
        raise Forbidden(f"a key cannot make one that outlives it; set expires_at to {limit.isoformat()} or earlier")


def _check_end(expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise BadInput("expires_at lies in the past")


async def _fields(key: ApiKey, live: Runtime) -> dict[str, Any]:
    return key_fields(key, await names_of(key.kbs, key.tenant, live))


def _within(principal: Principal, key: ApiKey) -> bool:
    return covers(principal, key.role, key.kbs, key.labels)
