"""How often a key may ask."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.ids import KeyId


class Rates(Protocol):
    """A token bucket for each key."""

    async def take(self, key: KeyId) -> float:
        """Take one token; return 0, or the seconds after which there is one. Raises DependencyDown."""
        ...
