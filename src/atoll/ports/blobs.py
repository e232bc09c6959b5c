"""Files of documents: what was uploaded, and drawn pages. Stage outputs have a port of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A received file as it lies on disk: its size, and the SHA-256 of its bytes in hex."""

    bytes: int
    sha256: str


class IncomingFile(Protocol):
    """One file while it arrives."""

    async def write(self, data: bytes) -> None:
        """Append bytes. Raises StorageFull when the disk falls below its floor."""
        ...

    async def close(self) -> StoredFile:
        """End the file; its bytes are on disk when this returns."""
        ...


class Intake(Protocol):
    """The files of one upload. Nobody sees them before ``keep``; whatever is not settled in the end is removed."""

    async def open(self, document: DocumentUid) -> IncomingFile:
        """Start a file. One is written at a time."""
        ...

    async def keep(self) -> None:
        """Move all files to their documents' folders; files and folders are synced when this returns."""
        ...

    async def settle(self, accepted: Collection[DocumentUid]) -> None:
        """End the upload: the files of ``accepted`` stay, all others are removed."""
        ...


class Blobs(Protocol):
    """Where a document's files lie. Paths are given out whether anything is there or not."""

    async def receive(self, kb: KbUid) -> Intake:
        """Start an upload. Raises StorageFull when the disk is below its floor."""
        ...

    def original(self, kb: KbUid, document: DocumentUid) -> Path:
        """Return the path of the uploaded bytes."""
        ...

    def pages_dir(self, kb: KbUid, document: DocumentUid) -> Path:
        """Return the folder of drawn pages."""
        ...

    async def share(self, kb: KbUid, document: DocumentUid, reading: DocumentUid) -> None:
        """Give another reading of a document the uploaded bytes; again is a no-op. They stay when either is removed.

        Raises:
            NotFound: they are gone.
        """
        ...

    async def remove(self, kb: KbUid, document: DocumentUid) -> None:
        """Remove everything of a document, stage outputs included; again is a no-op."""
        ...

    async def drawn_pages(self) -> list[tuple[Path, int]]:
        """Return all files of all documents' ``pages_dir`` with their sizes, oldest first."""
        ...

    async def sweep(self, is_known: Callable[[KbUid, DocumentUid], Awaitable[bool]]) -> int:
        """Remove what uploads of dead processes left and no record knows; return how many uploads there were."""
        ...
