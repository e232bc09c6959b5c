"""Which keys of a tenant have to stay as they are, and which changes of a key are let through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from atoll.domain.ids import KeyId
from atoll.domain.principal import LAST_OWNER, ApiKey, Role
from atoll.errors import Conflict


@dataclass(frozen=True, slots=True)
class Owner:
    """A key that holds now and may do everything in its tenant."""

    id: str
    #: It has no expiry.
    is_lasting: bool


def check_revocation(key: KeyId, owners: Collection[Owner]) -> None:
    """Raise Conflict when the tenant would be left without an owner, at once or when the keys that remain expire.

    A key with an expiry stands in for another such key, and never for the last one that has none.
    """
    going = next((owner for owner in owners if owner.id == key), None)
    if going is not None and not any(owner.is_lasting or not going.is_lasting for owner in owners if owner != going):
        raise Conflict(LAST_OWNER)


def check_change(stored: ApiKey | None, before: ApiKey, after: ApiKey, owners: Collection[Owner]) -> None:
    """Raise Conflict when a key is not (any more) as the change was decided on, or has to stay as it is.

    Whoever changes a key may do so because of the rights that it has; another change at the same time could give it
    other ones.
    """
    if stored is None or _rights(stored) != _rights(before) or stored.revoked_at is not None:
        raise Conflict("the key was changed or revoked meanwhile; look at it again")
    unlimited = after.role is Role.OWNER and after.kbs is None and after.labels is None
    if _rights(after) != _rights(before) and (not unlimited or after.expires_at is not None):
        check_revocation(after.id, owners)


def _rights(key: ApiKey) -> tuple[object, ...]:
    return key.role, key.kbs, key.labels, key.expires_at
