"""Whether who opened a stream may still have it: streams are open for longer than a request."""

from __future__ import annotations

from atoll.access.admit import KbAccess
from atoll.access.authorize import authorize
from atoll.domain.principal import Action, Scope
from atoll.errors import NotFound
from gateway.runtime import Runtime


async def ensure_stands(access: KbAccess, live: Runtime) -> None:
    """Return if key and knowledge base still stand as they did.

    Raises:
        NotAuthenticated, Forbidden: the key was revoked or has run out, or may not read any more.
        NotFound: the knowledge base is gone, or is another one of its name.
        DependencyDown: nobody can say just now.
    """
    principal = await live.authenticator.by_subject(access.principal.subject)
    authorize(principal, Action.READ, Scope(principal.tenant, access.kb, access.kb_name))
    located = await live.ports.records.knowledge_bases.locate(principal.tenant, access.kb_name)
    if located.uid != access.kb:
        raise NotFound(f"there is no knowledge base {access.kb_name}")
