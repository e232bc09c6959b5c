"""The record store as a whole: what is asked of it beside what its ports are for."""

from __future__ import annotations

from typing import Protocol


class RecordStore(Protocol):
    """The connection that all ports of one record store share."""

    async def ping(self) -> None:
        """Return when a read goes through. Raises DependencyDown."""
        ...

    async def aclose(self) -> None:
        """Let running transactions end and close every connection."""
        ...
