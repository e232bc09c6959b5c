"""Who is signed in: sessions of browsers, and links that sign in once."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.ids import Subject

#: Sessions and links that one subject may have open; the oldest go.
MAX_PER_SUBJECT = 64


class Sessions(Protocol):
    """Identities that a gateway gave out, shared by all gateways; whoever holds one has it signed."""

    async def open(self, session: str, subject: Subject, *, seconds: int) -> None:
        """Remember a session for so long; ended ones go, and the oldest past `MAX_PER_SUBJECT`."""
        ...

    async def find(self, session: str) -> Subject | None:
        """Return whose session it is, or None when it has ended."""
        ...

    async def end(self, session: str) -> Subject | None:
        """End a session; return whose it was to the one caller who ended it, to all others None."""
        ...
