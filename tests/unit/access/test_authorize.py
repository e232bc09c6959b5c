from __future__ import annotations

import pytest

from atoll.access.authorize import ALLOWED, authorize, covers
from atoll.domain.ids import KbUid, Subject, TenantId
from atoll.domain.principal import Action, Principal, Role, Scope
from atoll.errors import Forbidden, NotFound

HERE = TenantId("here")


def principal(role: Role, *, kbs: set[str] | None = None, labels: set[str] | None = None) -> Principal:
    return Principal(
        Subject("key:k"),
        HERE,
        "k",
        role,
        None if kbs is None else frozenset(map(KbUid, kbs)),
        None if labels is None else frozenset(labels),
        "acme",
    )


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_roles_decide(role: Role, action: Action) -> None:
    if action in ALLOWED[role]:
        authorize(principal(role), action, Scope(HERE, KbUid("kb"), "name"))
    else:
        with pytest.raises(Forbidden, match=role.value):
            authorize(principal(role), action, Scope(HERE, KbUid("kb"), "name"))


def test_every_role_has_its_row_and_admins_read_nothing() -> None:
    assert ALLOWED.keys() == set(Role)
    assert not ALLOWED[Role.ADMIN] & {Action.READ, Action.WRITE, Action.READ_AUDIT, Action.MANAGE_KEYS}
    assert not ALLOWED[Role.AUDITOR] & {Action.READ, Action.WRITE}


def test_outside_the_scope_is_not_found() -> None:
    with pytest.raises(NotFound):
        authorize(principal(Role.OWNER), Action.READ, Scope(TenantId("there"), KbUid("kb")))
    with pytest.raises(NotFound):
        authorize(principal(Role.OWNER, kbs={"a"}), Action.READ, Scope(HERE, KbUid("b"), "b"))
    authorize(principal(Role.OWNER, kbs={"a"}), Action.READ, Scope(HERE, KbUid("a")))
    authorize(principal(Role.OWNER, kbs={"a"}), Action.READ, Scope(HERE))


@pytest.mark.parametrize("limits", [{"kbs": {"a"}}, {"labels": {"a"}}])
def test_the_audit_is_for_keys_without_limits(limits: dict[str, set[str]]) -> None:
    with pytest.raises(Forbidden, match="audit"):
        authorize(principal(Role.AUDITOR, **limits), Action.READ_AUDIT, Scope(HERE))


def test_rights_are_never_widened() -> None:
    everything = principal(Role.OWNER)
    narrow = principal(Role.OWNER, kbs={"a"}, labels={"x"})
    a, x = frozenset("a"), frozenset("x")
    assert covers(everything, Role.AUDITOR, None, None)
    assert not covers(everything, Role.ADMIN, None, None)
    assert covers(narrow, Role.READER, a, x)
    assert covers(narrow, Role.READER, frozenset(), frozenset())
    assert not covers(narrow, Role.READER, None, x)
    assert not covers(narrow, Role.READER, a, None)
    assert not covers(narrow, Role.READER, frozenset("ab"), x)
    assert not covers(principal(Role.EDITOR), Role.OWNER, None, None)
