"""Keys, sessions and links: what they prove, and what they do not give away."""

from __future__ import annotations

from collections.abc import Sequence

import itsdangerous.timed
import pytest

from atoll.access import signatures
from atoll.access.keys import Authenticator, issue
from atoll.access.signatures import Signer
from atoll.domain.ids import KeyId, Subject, TenantId
from atoll.domain.principal import ApiKey, Bearer, Role
from atoll.errors import NotAuthenticated

PEPPER = b"p" * 32


class Known:
    """Some stored keys."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = {key.id: key for key in keys}

    async def bearer(self, key: KeyId) -> Bearer | None:
        found = self._keys.get(key)
        return None if found is None else Bearer(found, "acme", is_suspended=False)


async def test_a_key_proves_itself_only_with_its_own_secret_and_pepper() -> None:
    (one, first), (two, second) = [issue(PEPPER, tenant=TenantId("t"), name="n", role=Role.READER) for _ in range(2)]
    known = Authenticator(Known([one, two]), PEPPER)
    assert (await known.by_secret(first)).subject == f"key:{one.id}"
    swapped = f"atoll_{one.id}_{second.split('_', 2)[2]}"
    for wrong in (swapped, first[:-1], first + "0", first.upper()):
        with pytest.raises(NotAuthenticated):
            await known.by_secret(wrong)
    with pytest.raises(NotAuthenticated):
        await Authenticator(Known([one]), b"q" * 32).by_secret(first)


def test_what_is_stored_does_not_show_the_secret() -> None:
    key, text = issue(PEPPER, tenant=TenantId("t"), name="n", role=Role.READER)
    secret = text.split("_", 2)[2]
    assert len(secret) >= 43
    assert secret not in repr(key)
    assert secret.encode() not in key.hash
    assert len({issue(PEPPER, tenant=TenantId("t"), name="n", role=Role.READER)[1] for _ in range(50)}) == 50


def test_sessions_and_links_expire_and_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000_000.0
    monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: now)
    signer, one = Signer(PEPPER), Subject("key:k1")
    token = signer.session("s1")
    assert signer.session_identity(token) == "s1"
    link = signer.link("/a?b=c", one)
    assert signer.link_subject("/a?b=c", link) == one
    signed = token.split(".")
    others = signer.session("s2").split(".")
    for forged in (".".join([others[0], *signed[1:]]), ".".join([*signed[:2], others[2]]), token[:-1], token + "x", "",
                   ".", "..", "\ud800", "é", link, signer.sign_in("s1"), Signer(b"q").session("s1")):  # fmt: skip
        with pytest.raises(NotAuthenticated):
            signer.session_identity(forged)
    for target, forged in (("/a?b=d", link), ("/a", link), ("/a?b=c", token), ("/a?b=c", "é"), ("/a?b=c", link[:-2])):
        with pytest.raises(NotAuthenticated):
            signer.link_subject(target, forged)
    now += signatures.LINK_SECONDS + 1
    with pytest.raises(NotAuthenticated):
        signer.link_subject("/a?b=c", link)
    now += signatures.SESSION_SECONDS
    with pytest.raises(NotAuthenticated):
        signer.session_identity(token)
