"""Stage outputs of documents. Where and under which names they lie is known to the adapter alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol

from atoll.domain.artefact import Artefact
from atoll.domain.ids import DocumentUid, KbUid


class Artefacts(Protocol):
    """Keeps outputs by document, stage, key and part. A part appears whole or not at all, and is on disk then.

    Parts are named in lower-case letters, digits, ``_`` and ``-``. What is kept goes with its document
    (``Blobs.remove``), and nothing is kept for a document that was removed: writing then raises NotFound.
    """

    async def put(self, artefact: Artefact, part: str, content: bytes) -> None:
        """Keep a part, in place of what it was before. Raises StorageFull."""
        ...

    def draft(self, artefact: Artefact, part: str) -> AbstractAsyncContextManager[BinaryIO]:
        """Give an empty file whose content is kept as a part when the block ends.

        A file that is still empty then, or a block that raises, leaves no part. Raises StorageFull.
        """
        ...

    async def get(self, artefact: Artefact, part: str) -> bytes:
        """Return a part. Raises ArtefactMissing."""
        ...

    async def open(self, artefact: Artefact, part: str) -> BinaryIO:
        """Return a part as a file to read from, which the caller closes. Raises ArtefactMissing."""
        ...

    async def exists(self, artefact: Artefact, part: str) -> bool:
        """Return whether a part is there."""
        ...

    async def share(self, artefact: Artefact, reading: DocumentUid) -> None:
        """Give another reading of a document all parts of an output, under the same key; again is a no-op.

        Unlike other writing it makes the place of a reading that has none yet. Parts stay when either is removed.
        """
        ...


class ArtefactArchive(Protocol):
    """All outputs of a document at once, for backups; names mean something to the same kind of store only."""

    async def names(self, kb: KbUid, document: DocumentUid) -> Sequence[str]:
        """Return the names of everything that is kept for a document, in order."""
        ...

    async def read(self, kb: KbUid, document: DocumentUid, name: str) -> BinaryIO:
        """Return what has a name as a file to read from, which the caller closes. Raises ArtefactMissing."""
        ...

    def restore(self, kb: KbUid, document: DocumentUid, name: str) -> AbstractAsyncContextManager[BinaryIO]:
        """Give a file whose content is kept under a name of ``names``, as ``draft`` does, for a document to be."""
        ...
