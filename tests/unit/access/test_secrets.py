"""Keys, sessions and links: what they prove, and what they do not give away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from atoll.access import signatures
from atoll.access.keys import Authenticator, issue
from atoll.access.signatures import Signer
from atoll.domain.ids import KeyId, TenantId
from atoll.domain.principal import ApiKey, Role
from atoll.errors import NotAuthenticated

PEPPER = b"p" * 32


class Known:
    """Some stored keys."""

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = {key.id: key for key in keys}

    async def find(self, key: KeyId) -> ApiKey | None:
        return self._keys.get(key)


async def test_a_key_proves_itself_only_with_its_own_secret_and_pepper() -> None:
    (one, first), (two, second) = [issue(PEPPER, tenant=TenantId("t"), name="n", role=Role.READER) for _ in range(2)]
    known = Authenticator(Known([one, two]), PEPPER)
    assert (await known.by_secret(first)).key == one.id
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
    monkeypatch.setattr(signatures.time, "time", lambda: now)
    signer = Signer(PEPPER)
    token = signer.session(KeyId("k1"))
    assert signer.session_key(token) == "k1"
    link = signer.link("/a?b=c", KeyId("k1"), int(now) + 10)
    assert signer.check_link("/a?b=c", "k1", str(int(now) + 10), link) == "k1"
    for forged in (token.replace("k1", "k2"), token[:-1], "", ".", "é", Signer(b"q").session(KeyId("k1"))):
        with pytest.raises(NotAuthenticated):
            signer.session_key(forged)
    for target, key, expires, signature in (
        ("/a?b=d", "k1", str(int(now) + 10), link),
        ("/a?b=c", "k2", str(int(now) + 10), link),
        ("/a?b=c", "k1", str(int(now) + 99), link),
        ("/a?b=c", "k1", "soon", link),
        ("/a?b=c", "k1", str(int(now) + 10), "é"),
        ("/a?b=c", "k1", str(int(now) + 10), token.rsplit(".", 1)[1]),
    ):
        with pytest.raises(NotAuthenticated):
            signer.check_link(target, key, expires, signature)
    now += signatures.SESSION_SECONDS
    with pytest.raises(NotAuthenticated):
        signer.session_key(token)
    with pytest.raises(NotAuthenticated):
        signer.check_link("/a?b=c", "k1", str(int(now) - 5), signer.link("/a?b=c", KeyId("k1"), int(now) - 5))
