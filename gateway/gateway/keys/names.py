"""Knowledge bases of keys: names on the wire, ids in what is kept."""

from __future__ import annotations

from atoll.access.admit import Access
from atoll.domain.ids import KbUid, TenantId
from atoll.errors import BadInput, Forbidden
from gateway.runtime import Runtime

#: Why a key is not made or changed: what lies outside the caller's reach is not told apart from what is not there.
BEYOND = "a key cannot give rights that it does not have: role, knowledge bases, labels"


async def names_of(kbs: frozenset[KbUid] | None, tenant: TenantId, live: Runtime) -> frozenset[str] | None:
    """Return the names of knowledge bases, None for all; one that was deleted has none any more."""
    if kbs is None:
        return None
    return frozenset(kb.name for kb in await live.ports.records.knowledge_bases.list(tenant) if kb.uid in kbs)


async def ids_of(names: frozenset[str] | None, access: Access, live: Runtime) -> frozenset[KbUid] | None:
    """Return the ids of knowledge bases, None for all.

    Raises:
        BadInput: one is not there; a key for a misspelt name would be good for nothing.
        Forbidden: the caller's own key does not reach one, whether it is there or not.
    """
    if names is None:
        return None
    reach = access.principal.kbs
    found = {
        kb.name: kb.uid
        for kb in await live.ports.records.knowledge_bases.list(access.principal.tenant)
        if reach is None or kb.uid in reach
    }
    if missing := sorted(names - found.keys()):
        if reach is not None:
            raise Forbidden(BEYOND)
        raise BadInput(f"there is no knowledge base {missing[0]}; make it first, or name one of `GET /v1/kbs`")
    return frozenset(found[name] for name in names)
