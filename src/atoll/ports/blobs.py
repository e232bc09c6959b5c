"""The files that were uploaded. Stage outputs and drawn pages have ports of their own.

Under which names files lie is known to the adapter alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

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
    """The uploaded bytes of each document."""

    async def receive(self, kb: KbUid) -> Intake:
        """Start an upload. Raises StorageFull when the disk is below its floor."""
        ...

    async def open(self, kb: KbUid, document: DocumentUid) -> BinaryIO:
        """Return the uploaded bytes as a file to read from, which the caller closes. Raises NotFound."""
        ...

    async def exists(self, kb: KbUid, document: DocumentUid) -> bool:
        """Return whether a document has its uploaded bytes."""
        ...

    def restore(self, kb: KbUid, document: DocumentUid) -> AbstractAsyncContextManager[BinaryIO]:
        """Give an empty file that becomes the bytes of a document to be when the block ends well."""
        ...

    async def share(self, kb: KbUid, document: DocumentUid, reading: DocumentUid) -> None:
        """Give another reading of a document the uploaded bytes; again is a no-op. They stay when either is removed.

        Raises:
            NotFound: they are gone.
        """
        ...

    async def remove(self, kb: KbUid, document: DocumentUid) -> None:
        """Remove everything of a document, stage outputs and drawn pages included; again is a no-op."""
        ...

    async def sweep(self, is_known: Callable[[KbUid, DocumentUid], Awaitable[bool]]) -> int:
        """Remove what uploads of dead processes left and no record knows; return how many uploads there were."""
        ...
