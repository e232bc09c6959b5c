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


class Signer:
    """Signs with keys derived from the pepper, one for each purpose."""

    def __init__(self, pepper: bytes) -> None:
        self._session = _serializer(pepper, "atoll session")
        self._link = _serializer(pepper, "atoll link")

    def session(self, subject: Subject) -> str:
        """Return a session's token: its bearer is ``subject`` for `SESSION_SECONDS`."""
        return self._session.dumps(subject)

    def session_subject(self, token: str) -> Subject:
        """Return whose session a token is. Raises NotAuthenticated."""
        return Subject(_load(self._session, token, SESSION_SECONDS, "the session has ended; log in again"))

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
