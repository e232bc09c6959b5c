"""Signed statements that expire: browser sessions, and links to one page or file.

Each purpose has a salt of its own, so that a statement made for one proves nothing for another.
"""

from __future__ import annotations

import hashlib
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from atoll.domain.ids import Subject
from atoll.errors import NotAuthenticated

SESSION_SECONDS = 12 * 3600
LINK_SECONDS = 300
SESSION_ENDED = "the session has ended; log in again"
LINK_USED = "the link has expired or was used; make another with `atoll open`"


class Signer:
    """Signs with keys derived from the pepper, one for each purpose."""

    def __init__(self, pepper: bytes) -> None:
        self._session = _serializer(pepper, "atoll session")
        self._sign_in = _serializer(pepper, "atoll sign-in link")
        self._link = _serializer(pepper, "atoll link")

    def session(self, identity: str) -> str:
        """Return the token of a session, which holds for `SESSION_SECONDS` unless the session is ended before."""
        return self._session.dumps(identity)

    def session_identity(self, token: str) -> str:
        """Return which session a token is of. Raises NotAuthenticated."""
        return str(_load(self._session, token, SESSION_SECONDS, SESSION_ENDED))

    def sign_in(self, identity: str) -> str:
        """Return the token of a link that signs in once, within `LINK_SECONDS`."""
        return self._sign_in.dumps(identity)

    def sign_in_identity(self, token: str) -> str:
        """Return which sign-in link a token is of. Raises NotAuthenticated."""
        return str(_load(self._sign_in, token, LINK_SECONDS, LINK_USED))

    def link(self, target: str, subject: Subject) -> str:
        """Return the token of a link to ``target`` (path and query) in the name of ``subject``."""
        return self._link.dumps([subject, _digest(target)])

    def link_subject(self, target: str, token: str) -> Subject:
        """Return who a link to ``target`` was made for. Raises NotAuthenticated."""
        refusal = "the link has expired or was changed; ask for a new one"
        subject, digest = _load(self._link, token, LINK_SECONDS, refusal)
        if digest != _digest(target):
            raise NotAuthenticated(refusal)
        return Subject(subject)


def _serializer(pepper: bytes, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(
        pepper, salt=salt, signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256}
    )


def _load(serializer: URLSafeTimedSerializer, token: str, max_age_seconds: int, refusal: str) -> Any:
    try:
        return serializer.loads(token.encode("utf-8", "replace"), max_age=max_age_seconds)
    except BadData as error:
        raise NotAuthenticated(refusal) from error


def _digest(target: str) -> str:
    return hashlib.sha256(target.encode("utf-8", "replace")).hexdigest()
