"""How often a subject may ask."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.ids import Subject


class Rates(Protocol):
    """A token bucket for each subject."""

    async def take(self, subject: Subject) -> float:
        """Take one token; return 0, or the seconds after which there is one. Raises DependencyDown."""
        ...
