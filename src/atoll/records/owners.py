"""Which keys of a tenant have to stay."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.ids import KeyId
from atoll.domain.principal import LAST_OWNER
from atoll.errors import Conflict


def check_revocation(key: KeyId, owners: Sequence[str]) -> None:
    """Raise Conflict when a key is the last of ``owners``: those that hold now and may do everything in the tenant."""
    if list(owners) == [key]:
        raise Conflict(LAST_OWNER)
