"""Signed statements that expire: browser sessions, and links to one page or file."""

from __future__ import annotations

import hmac
import time

from atoll.domain.ids import KeyId
from atoll.errors import NotAuthenticated

SESSION_SECONDS = 12 * 3600
LINK_SECONDS = 300


class Signer:
    """Signs with a key derived from the pepper; each purpose has its own, so that none stands for another."""

    def __init__(self, pepper: bytes) -> None:
        self._session = hmac.digest(pepper, b"session", "sha256")
        self._link = hmac.digest(pepper, b"link", "sha256")

    def session(self, key: KeyId) -> str:
        """Return a session's token: it says that its bearer held ``key``, for `SESSION_SECONDS`."""
        statement = f"{key}.{int(time.time()) + SESSION_SECONDS}"
        return f"{statement}.{_sign(self._session, statement)}"

    def session_key(self, token: str) -> KeyId:
        """Return the key that a session's token names. Raises NotAuthenticated."""
        statement, _, signature = token.rpartition(".")
        key, _, expires = statement.partition(".")
        if not _same(_sign(self._session, statement), signature) or not _is_ahead(expires):
            raise NotAuthenticated("the session has ended; log in again")
        return KeyId(key)

    def link(self, target: str, key: KeyId, expires: int) -> str:
        """Return the signature of a link to ``target`` (path and query) in the name of ``key``."""
        return _sign(self._link, f"{target}\x1f{key}\x1f{expires}")

    def check_link(self, target: str, key: str, expires: str, signature: str) -> KeyId:
        """Return the key that a link was signed for. Raises NotAuthenticated."""
        expected = _sign(self._link, f"{target}\x1f{key}\x1f{expires}")
        if not _same(expected, signature) or not _is_ahead(expires):
            raise NotAuthenticated("the link has expired or was changed; ask for a new one")
        return KeyId(key)


def _is_ahead(expires: str) -> bool:
    return expires.isascii() and expires.isdecimal() and int(expires) > time.time()


def _same(expected: str, given: str) -> bool:
    # As bytes: on text that is not ASCII compare_digest raises.
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _sign(secret: bytes, statement: str) -> str:
    return hmac.digest(secret, statement.encode("utf-8", "replace"), "sha256").hex()
