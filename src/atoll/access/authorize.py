"""Who may do what to which: the one place that decides.

``authorize`` answers for a whole request; ``covers`` for the rights that one key may hand to another.
"""

from __future__ import annotations

from collections.abc import Mapping

from atoll.domain.ids import KbUid
from atoll.domain.principal import Action, Principal, Role, Scope
from atoll.domain.tenant import INSTALLATION
from atoll.errors import Forbidden, NotFound

#: What each role may do. An admin manages tenants and reads no document; an auditor sees what was done, not content.
ALLOWED: Mapping[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(
        {
            Action.READ,
            Action.WRITE,
            Action.MANAGE_KBS,
            Action.MANAGE_KEYS,
            Action.READ_AUDIT,
            Action.OBSERVE,
            Action.SEE_SYSTEM,
        }
    ),
    Role.EDITOR: frozenset({Action.READ, Action.WRITE}),
    Role.READER: frozenset({Action.READ}),
    Role.AUDITOR: frozenset({Action.READ_AUDIT, Action.OBSERVE}),
    Role.ADMIN: frozenset({Action.MANAGE_TENANTS, Action.OBSERVE, Action.SEE_SYSTEM}),
}

#: What else an admin may do in the installation's own tenant, whose audit trail tells what was done to all the others.
_IN_INSTALLATION = frozenset({Action.READ_AUDIT})

#: Actions that show or change things across all knowledge bases and labels of a tenant at once.
_WHOLE_TENANT = frozenset({Action.READ_AUDIT})


def authorize(principal: Principal, action: Action, scope: Scope) -> None:
    """Let the request pass or raise.

    Raises:
        Forbidden: the key's role does not allow the action, or the action needs a key without restrictions.
        NotFound: the scope is another tenant's, or a knowledge base that the key does not name; not told apart from
            one that is not there.
    """
    if scope.tenant != principal.tenant:
        raise NotFound("there is nothing here")
    if action not in _allowed(principal):
        raise Forbidden(f"a key with role {principal.role} may not {_words(action)}; use one whose role allows it")
    if scope.kb is not None and principal.kbs is not None and scope.kb not in principal.kbs:
        raise NotFound(f"there is no knowledge base {scope.kb_name}")
    if action in _WHOLE_TENANT and not is_unrestricted(principal):
        raise Forbidden(f"only a key for all knowledge bases and labels may {_words(action)}")


def _allowed(principal: Principal) -> frozenset[Action]:
    own = principal.role is Role.ADMIN and principal.tenant_name == INSTALLATION
    return ALLOWED[principal.role] | (_IN_INSTALLATION if own else frozenset())


def is_unrestricted(principal: Principal) -> bool:
    """Whether the key reaches every knowledge base and label of its tenant."""
    return principal.kbs is None and principal.labels is None


def covers(principal: Principal, role: Role, kbs: frozenset[KbUid] | None, labels: frozenset[str] | None) -> bool:
    """Whether a key with these rights would have none that ``principal`` has not."""
    return (
        ALLOWED[role] <= ALLOWED[principal.role]
        and (principal.kbs is None or (kbs is not None and kbs <= principal.kbs))
        and (principal.labels is None or (labels is not None and labels <= principal.labels))
    )


def _words(action: Action) -> str:
    return {
        Action.READ: "read documents",
        Action.WRITE: "change documents",
        Action.MANAGE_KBS: "manage knowledge bases",
        Action.MANAGE_KEYS: "manage keys",
        Action.READ_AUDIT: "read the audit trail",
        Action.MANAGE_TENANTS: "manage tenants",
        Action.OBSERVE: "see details of the installation",
        Action.SEE_SYSTEM: "see processes, versions and models of the installation",
    }[action]
