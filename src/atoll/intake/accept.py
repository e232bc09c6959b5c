"""What an upload is, whoever brings it: stream to disk, sync, record, answer. In this order, for promise P2.

::

    async with uploads.begin(uploader) as upload:
        file = await upload.file("plans/plan.pdf")
        await file.write(piece)  # as often as there are pieces
        await file.end()
        upload.describe(labels=["staff"], metadata={}, source="archive/2024")
        accepted = await upload.commit(replace=False, actor=actor)

A block that ends without ``commit`` leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from atoll.domain import media
from atoll.domain.document import Accepted, Document, NewDocument
from atoll.domain.ids import DocumentUid, KbUid, new_uid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import BadInput, DocumentTooLarge, Forbidden, NotFound
from atoll.intake.names import check_metadata, clean_folder, clean_labels, clean_name, join_source
from atoll.ports.blobs import Blobs, IncomingFile, Intake
from atoll.ports.catalogue import Catalogue
from atoll.ports.passwords import Passwords

#: Bytes that are written at a time: large enough that threads and calls cost little.
WRITE_BYTES = 512 * 1024
#: Media types that a text may have by its name; every other name is plain text.
_TEXTS = frozenset({media.TEXT, media.MARKDOWN, media.HTML})


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """How much one upload may bring."""

    max_bytes: int
    max_documents: int


class Uploads:
    """Takes uploads.

    Args:
        blobs: where files lie.
        passwords: where those of encrypted documents are kept until they are read.
        catalogue: where documents are recorded.
        ring: wakes workers for accepted documents; never waits and never fails.
        turn: opens the block in which one upload is taken. Raises QuotaExceeded when too many are.
        limits: of one upload.
    """

    def __init__(
        self,
        *,
        blobs: Blobs,
        passwords: Passwords,
        catalogue: Catalogue,
        ring: Callable[[Sequence[DocumentUid]], None],
        turn: Callable[[], AbstractAsyncContextManager[None]],
        limits: UploadLimits,
    ) -> None:
        self.limits = limits
        self._blobs = blobs
        self._passwords = passwords
        self._catalogue = catalogue
        self._ring = ring
        self._turn = turn
        self._commits: set[asyncio.Task[Accepted]] = set()

    @asynccontextmanager
    async def begin(self, uploader: Reader) -> AsyncIterator[Upload]:
        """Start an upload into the knowledge base that ``uploader`` reads, with the labels that it holds.

        Raises:
            QuotaExceeded: too many uploads at a time.
            StorageFull: the disk is nearly full.
        """
        async with self._turn():
            intake = await self._blobs.receive(uploader.kb)
            upload = Upload(self, uploader, intake)
            try:
                yield upload
            finally:
                if not upload.is_committing:  # also when the client went away: nothing stays
                    await asyncio.shield(intake.settle(()))

    async def commit(self, work: Coroutine[Any, Any, Accepted]) -> Accepted:
        """Do the last part of an upload, whatever happens to the caller meanwhile."""
        task = asyncio.create_task(work)
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        return await asyncio.shield(task)

    async def record(
        self,
        uploader: Reader,
        documents: Sequence[NewDocument],
        intake: Intake,
        *,
        replace: bool,
        actor: Actor,
        password: str | None = None,
    ) -> Accepted:
        """Keep the files, record the documents, and wake workers for them."""
        kept: tuple[DocumentUid, ...] = ()
        new = {document.uid for document in documents}
        try:
            await intake.keep()
            if password is not None:
                for uid in new:
                    await self._passwords.keep(uploader.kb, uid, password)
            accepted = await self._catalogue.accept(uploader, documents, replace=replace, actor=actor)
            if password is not None:
                await self._keep_for_known(
                    uploader.kb, (each for each in accepted.documents if each.uid not in new), password
                )
            kept = tuple(document.uid for document in accepted.documents)
        finally:
            await intake.settle(kept)
        self._ring(kept)
        return accepted

    async def _keep_for_known(self, kb: KbUid, known: Iterable[Document], password: str) -> None:
        """Keep the password of documents that were there and are queued again, as those that failed for want of it."""
        for document in known:
            if document.status.is_under_way:
                with suppress(NotFound):  # somebody has deleted it meanwhile
                    await self._passwords.keep(kb, document.uid, password)

    async def ended(self) -> int:
        """Wait for uploads whose files lie on disk and whose record is being written; return how many there were."""
        commits = list(self._commits)
        await asyncio.gather(*commits, return_exceptions=True)
        return len(commits)


class Upload:
    """The documents of one upload while they arrive."""

    def __init__(self, uploads: Uploads, uploader: Reader, intake: Intake) -> None:
        self.bytes = 0
        self.is_committing = False
        self._uploads = uploads
        self._limits = uploads.limits
        self._uploader = uploader
        self._intake = intake
        self._documents: list[NewDocument] = []

    @property
    def count(self) -> int:
        """How many documents have arrived."""
        return len(self._documents)

    async def file(self, name: str, *, media_type: str | None = None) -> ArrivingFile:
        """Start a file; the folder part of its name is its source; without a media type its first bytes tell.

        Raises:
            BadInput: it has no usable name, or is one too many.
        """
        if self.count >= self._limits.max_documents:
            raise BadInput(f"an upload holds at most {self._limits.max_documents} documents; split it")
        uid, place = DocumentUid(new_uid()), (clean_folder(name), clean_name(name))
        return ArrivingFile(self, await self._intake.open(uid), uid, place, media_type)

    async def text(
        self, name: str, text: str, *, labels: Iterable[str] | None, metadata: Any, source: str | None
    ) -> None:
        """Take a whole text as a document of its own description. Raises what ``file`` and ``describe`` raise."""
        named = media.ACCEPTED.get(_suffix(name), media.TEXT)
        file = await self.file(name, media_type=named if named in _TEXTS else media.TEXT)
        await file.write(text.encode())
        await file.end()
        self._documents[-1] = _described(self._documents[-1], labels, metadata, source)

    def describe(self, *, labels: Iterable[str] | None, metadata: Any, source: str | None) -> None:
        """Give all documents that have arrived these labels and this metadata; None says nothing of them.

        The folder of each lies below ``source``.

        Raises:
            BadInput: a label, the metadata or the source cannot be as they are.
        """
        labels = None if labels is None else tuple(labels)
        self._documents = [_described(document, labels, metadata, source) for document in self._documents]

    async def commit(self, *, replace: bool, actor: Actor, password: str | None = None) -> Accepted:
        """Record all documents, or none; when this returns they survive a crash.

        ``password`` opens those of them that are encrypted.

        Raises:
            BadInput: nothing has arrived.
            Forbidden: a document has a label that the uploader does not hold.
            Conflict, QuotaExceeded, NotFound: as `Catalogue.accept`.
        """
        if not self._documents:
            raise BadInput("an upload needs at least one document")
        if not all(self._uploader.sees(each.labels or ()) for each in self._documents):
            raise Forbidden("this key may only give documents labels that it holds itself")
        # From here on a caller that goes away must not cancel the work: files and record go together.
        self.is_committing = True
        return await self._uploads.commit(
            self._uploads.record(
                self._uploader, self._documents, self._intake, replace=replace, actor=actor, password=password
            )
        )

    def note(self, size: int) -> None:
        """Count bytes that have come. Raises DocumentTooLarge."""
        self.bytes += size
        if self.bytes > self._limits.max_bytes:
            raise DocumentTooLarge(f"an upload has at most {self._limits.max_bytes // 2**20} MiB")

    def add(self, document: NewDocument) -> None:
        """Take a file that is whole."""
        self._documents.append(document)


class ArrivingFile:
    """One file on its way to disk: told what it is by its first bytes, before the rest is taken."""

    def __init__(
        self,
        upload: Upload,
        file: IncomingFile,
        uid: DocumentUid,
        place: tuple[str | None, str],
        media_type: str | None,
    ) -> None:
        self._upload = upload
        self._file = file
        self._uid = uid
        self._source, self._name = place
        self._media_type = media_type
        self._waiting = bytearray()
        self._is_empty = True

    async def write(self, piece: bytes) -> None:
        """Append bytes.

        Raises:
            UnsupportedMediaType: nothing reads such a file; raised as soon as it is known.
            DocumentTooLarge, StorageFull: as their names say.
        """
        self._upload.note(len(piece))
        self._waiting += piece
        self._is_empty = self._is_empty and not piece
        if len(self._waiting) >= WRITE_BYTES:
            await self._flush()

    async def end(self) -> None:
        """End the file and add it to its upload. Raises BadInput when it is empty."""
        if self._is_empty:
            raise BadInput(f"{self._name} is empty")
        media_type = await self._flush()
        stored = await self._file.close()
        self._upload.add(
            NewDocument(
                uid=self._uid,
                name=self._name,
                source=self._source,
                media_type=media_type,
                bytes=stored.bytes,
                sha256=stored.sha256,
                labels=None,
                metadata=None,
            )
        )

    async def _flush(self) -> str:
        if self._media_type is None:
            self._media_type = media.sniff(self._name, bytes(self._waiting[: media.HEAD_BYTES]))
        if self._waiting:
            await self._file.write(bytes(self._waiting))
            self._waiting.clear()
        return self._media_type


def _described(document: NewDocument, labels: Iterable[str] | None, metadata: Any, source: str | None) -> NewDocument:
    checked: Mapping[str, Any] | None = None if metadata is None else check_metadata(metadata)
    return replace(
        document,
        labels=None if labels is None else clean_labels(labels),
        metadata=checked,
        source=join_source(source, document.source),
    )


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""
