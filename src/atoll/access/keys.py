"""API keys: ``atoll_<id>_<secret>``. The store holds a keyed hash of the secret, never the secret."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime

from atoll.domain.ids import KbUid, KeyId, Subject, TenantId
from atoll.domain.principal import ApiKey, Bearer, Principal, Role, key_of, subject_of_key
from atoll.errors import Forbidden, NotAuthenticated
from atoll.ports.accounts import Keys

_PREFIX = "atoll"
_ID_BYTES = 8
_SECRET_BYTES = 32
#: Longer texts are no key; hashing them would be work for nothing.
_MAX_KEY_CHARACTERS = 128

_REFUSED = "the key is unknown, expired or revoked"
_SUSPENDED = "the tenant of this key is suspended; whoever operates this installation can resume it"


def issue(
    pepper: bytes,
    *,
    tenant: TenantId,
    name: str,
    role: Role,
    kbs: frozenset[KbUid] | None = None,
    labels: frozenset[str] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; return what is stored and the text that its holder keeps. Nothing can show that text again."""
    text = fresh()
    return (
        stored(pepper, text, tenant=tenant, name=name, role=role, kbs=kbs, labels=labels, expires_at=expires_at),
        text,
    )


def fresh() -> str:
    """Return the text of a key that nobody has."""
    return f"{_PREFIX}_{secrets.token_hex(_ID_BYTES)}_{secrets.token_urlsafe(_SECRET_BYTES)}"


def stored(
    pepper: bytes,
    text: str,
    *,
    tenant: TenantId,
    name: str,
    role: Role,
    kbs: frozenset[KbUid] | None = None,
    labels: frozenset[str] | None = None,
    expires_at: datetime | None = None,
) -> ApiKey:
    """Return what is stored of the key with this text. Raises NotAuthenticated when it is not the text of a key."""
    identity, secret = _parts(text)
    return ApiKey(
        id=identity,
        tenant=tenant,
        name=name,
        role=role,
        kbs=kbs,
        labels=labels,
        hash=_hash(pepper, identity, secret),
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        last_used_at=None,
        revoked_at=None,
    )


class Authenticator:
    """Turns a key's text, or a subject that was proved before, into a principal.

    Nothing is cached: a look-up is a fraction of a millisecond, and a revocation or suspension holds from the next
    request on. Only a key that holds is told that its tenant is suspended.
    """

    def __init__(self, keys: Keys, pepper: bytes) -> None:
        self._keys = keys
        self._pepper = pepper

    async def by_secret(self, text: str) -> Principal:
        """Check a key's text. An unknown id costs the same as a wrong secret. Raises NotAuthenticated, Forbidden."""
        identity, secret = _parts(text)
        bearer = await self._keys.bearer(identity)
        expected = bearer.key.hash if bearer is not None else bytes(hashlib.sha256().digest_size)
        if not hmac.compare_digest(_hash(self._pepper, identity, secret), expected) or bearer is None:
            raise NotAuthenticated(_REFUSED)
        return _principal(bearer)

    async def by_subject(self, subject: Subject) -> Principal:
        """Return the principal of a subject that a session or a signed link proves.

        Raises:
            NotAuthenticated: the key is unknown, expired or revoked.
            Forbidden: its tenant is suspended.
        """
        identity = key_of(subject)
        bearer = None if identity is None else await self._keys.bearer(identity)
        if bearer is None:
            raise NotAuthenticated(_REFUSED)
        return _principal(bearer)


def _parts(text: str) -> tuple[KeyId, str]:
    prefix, _, rest = text.partition("_")
    identity, _, secret = rest.partition("_")
    if prefix != _PREFIX or not identity or not secret or len(text) > _MAX_KEY_CHARACTERS or not text.isascii():
        raise NotAuthenticated("this is not a key of Atoll; keys look like atoll_<id>_<secret>")
    return KeyId(identity), secret


def _principal(bearer: Bearer) -> Principal:
    key = bearer.key
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= datetime.now(UTC)):
        raise NotAuthenticated(_REFUSED)
    if bearer.is_suspended:
        raise Forbidden(_SUSPENDED)
    return Principal(
        subject=subject_of_key(key.id),
        tenant=key.tenant,
        name=key.name,
        role=key.role,
        kbs=key.kbs,
        labels=key.labels,
        tenant_name=bearer.tenant_name,
    )


def _hash(pepper: bytes, identity: str, secret: str) -> bytes:
    return hmac.digest(pepper, f"key\x1f{identity}\x1f{secret}".encode(), "sha256")
