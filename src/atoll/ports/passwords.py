"""Passwords of encrypted documents, from their upload until they are parsed."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid


class Passwords(Protocol):
    """Keeps the password that came with a document, encrypted, and goes with it (``Blobs.remove``)."""

    async def keep(self, kb: KbUid, document: DocumentUid, password: str) -> None:
        """Keep the password of a document whose files lie in their place; it is on disk when this returns.

        Raises:
            NotFound: the document was removed.
            StorageFull: as its name says.
        """
        ...

    async def get(self, kb: KbUid, document: DocumentUid) -> str | None:
        """Return the password, None where none is kept or it cannot be read any more."""
        ...

    async def forget(self, kb: KbUid, document: DocumentUid) -> None:
        """Remove the password; again is a no-op."""
        ...
