"""Documents' files in folders: ``<root>/<kb>/<document>/{original, artefacts/, pages/}``.

An upload is written to ``<root>/.incoming/<kb>.<upload>/<document>/original``. The upload's folder holds a lock file
that its process keeps locked; a lock that can be taken belongs to a process that died, and what it left is swept.
While files move to their places the upload's folder keeps an empty ``<document>.kept`` for each of them, so that a
death between the move and the record is found and undone as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from filelock import FileLock, Timeout

from atoll import files
from atoll.adapters.full_disk import translate_errors
from atoll.domain.ids import DocumentUid, KbUid, new_uid
from atoll.errors import NotFound, StorageFull
from atoll.ports.blobs import StoredFile

T = TypeVar("T")

_ORIGINAL = "original"
_INCOMING = ".incoming"
_REMOVED = ".removed"
_LOCK = "lock"
_KEPT = ".kept"
#: How much is written before free space is looked at again.
_CHECK_EVERY_BYTES = 8 * 2**20
_PLACE_ATTEMPTS = 5
#: A folder this young may be between its creation and its lock.
_YOUNG_SECONDS = 5.0


class FileBlobs:
    """Port ``Blobs`` on a local (or shared) file system.

    Args:
        root: the folder of all documents; made if it is not there.
        min_free_bytes: free space that uploads leave; below it they are refused.
        threads: how many files are worked on at a time.
    """

    def __init__(self, root: Path, *, min_free_bytes: int, threads: int = 4) -> None:
        self._root = root
        self._min_free_bytes = min_free_bytes
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="blobs")
        root.mkdir(parents=True, exist_ok=True)
        (root / _INCOMING).mkdir(exist_ok=True)

    async def receive(self, kb: KbUid) -> FileIntake:
        """Start an upload."""
        return await self.run(lambda: FileIntake(self, kb))

    async def open(self, kb: KbUid, document: DocumentUid) -> BinaryIO:
        """Open the uploaded bytes."""
        try:
            return await self.run(lambda: self.path(kb, document).open("rb"))
        except FileNotFoundError as error:
            raise NotFound("the document was removed") from error

    async def exists(self, kb: KbUid, document: DocumentUid) -> bool:
        """Return whether the file is there."""
        return await self.run(self.path(kb, document).exists)

    @asynccontextmanager
    async def restore(self, kb: KbUid, document: DocumentUid) -> AsyncIterator[BinaryIO]:
        """Write the file beside its place and move it there."""
        path = self.path(kb, document)
        await self.run(lambda: path.parent.mkdir(parents=True, exist_ok=True))
        with files.draft(path) as part:
            with await self.run(lambda: part.open("xb")) as file:
                yield file
            await self.run(lambda: files.keep(part, path))

    async def share(self, kb: KbUid, document: DocumentUid, reading: DocumentUid) -> None:
        """Let another reading have the same file."""
        await self.run(lambda: self._share(kb, document, reading))

    async def remove(self, kb: KbUid, document: DocumentUid) -> None:
        """Remove a document's folder."""
        await self.run(lambda: self.discard(self.folder(kb, document)))

    async def sweep(self, is_known: Callable[[KbUid, DocumentUid], Awaitable[bool]]) -> int:
        """Remove what uploads of dead processes left and no record knows; return how many uploads there were."""
        abandoned = await self.run(self._abandoned)
        for folder, lock in abandoned:
            try:
                kb = KbUid(folder.name.partition(".")[0])
                kept = [DocumentUid(path.name.removesuffix(_KEPT)) for path in folder.glob(f"*{_KEPT}")]
                for document in kept:
                    if not await is_known(kb, document):
                        await self.remove(kb, document)
                await self.run(partial(shutil.rmtree, folder, ignore_errors=True))
            finally:
                lock.release()
        return len(abandoned)

    def close(self) -> None:
        """Let running work end."""
        self._threads.shutdown(wait=True)

    def folder(self, kb: KbUid, document: DocumentUid) -> Path:
        """Return the folder of a document."""
        return self._root / kb / document

    def path(self, kb: KbUid, document: DocumentUid) -> Path:
        """Return where the uploaded bytes of a document lie."""
        return self.folder(kb, document) / _ORIGINAL

    def incoming(self, kb: KbUid) -> Path:
        """Make the folder of a new upload."""
        self.check_space()
        folder = self._root / _INCOMING / f"{kb}.{new_uid()}"
        folder.mkdir()
        return folder

    def place(self, folder: Path, kb: KbUid, document: DocumentUid) -> None:
        """Move a folder to where the document's files lie, durably."""
        target = self.folder(kb, document)
        for attempt in range(_PLACE_ATTEMPTS):
            target.parent.mkdir(exist_ok=True)
            try:
                folder.rename(target)
                break
            except FileNotFoundError:  # the last document of the knowledge base went, and its folder with it
                if attempt == _PLACE_ATTEMPTS - 1:
                    raise
        files.sync(target.parent)
        files.sync(self._root)

    def discard(self, folder: Path) -> None:
        """Remove a document's folder: out of its place in one step, so that nothing is added to it meanwhile."""
        grave = self._root / _INCOMING / f"{new_uid()}{_REMOVED}"
        with suppress(FileNotFoundError):
            folder.rename(grave)
            shutil.rmtree(grave)
            with suppress(OSError):  # another document may have come
                folder.parent.rmdir()

    def check_space(self) -> None:
        """Raise StorageFull below the floor."""
        free = shutil.disk_usage(self._root).free
        if free < self._min_free_bytes:
            raise StorageFull(
                f"{free // 2**20} MiB are free on the disk of the documents, {self._min_free_bytes // 2**20} MiB must "
                "stay free; delete documents or add space"
            )

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _translated(work))

    def _share(self, kb: KbUid, document: DocumentUid, reading: DocumentUid) -> None:
        target = self.folder(kb, reading)
        target.mkdir(parents=True, exist_ok=True)
        try:
            files.share(self.path(kb, document), self.path(kb, reading))
        except FileNotFoundError as error:
            raise NotFound("the document was removed while it was read again") from error
        files.sync(target.parent)

    def _abandoned(self) -> list[tuple[Path, FileLock]]:
        for grave in (self._root / _INCOMING).glob(f"*{_REMOVED}"):
            shutil.rmtree(grave, ignore_errors=True)
        found = []
        for folder in (self._root / _INCOMING).iterdir():
            lock = _try_lock(folder)
            if lock is not None:
                found.append((folder, lock))
        return found


class FileIntake:
    """Port ``Intake``: one folder below ``.incoming``, locked as long as this process lives."""

    def __init__(self, blobs: FileBlobs, kb: KbUid) -> None:
        self._blobs = blobs
        self._kb = kb
        self._folder = blobs.incoming(kb)
        self._lock = _lock(self._folder)
        self._files: list[FileIncoming] = []
        self._kept: list[DocumentUid] = []

    async def open(self, document: DocumentUid) -> FileIncoming:
        """Start a file."""
        file = await self._blobs.run(lambda: FileIncoming(self._blobs, self._folder / document))
        self._files.append(file)
        return file

    async def keep(self) -> None:
        """Move all files to their places."""
        await self._blobs.run(self._keep)

    async def settle(self, accepted: Collection[DocumentUid]) -> None:
        """Remove what was not accepted and the upload's folder."""
        await self._blobs.run(lambda: self._settle(accepted))

    def _keep(self) -> None:
        names = [DocumentUid(path.name) for path in self._folder.iterdir() if path.is_dir()]
        for document in names:
            (self._folder / f"{document}{_KEPT}").touch()
        files.sync(self._folder)
        for document in names:
            self._blobs.place(self._folder / document, self._kb, document)
            self._kept.append(document)

    def _settle(self, accepted: Collection[DocumentUid]) -> None:
        for file in self._files:
            file.abandon()
        for document in self._kept:
            if document not in accepted:
                self._blobs.discard(self._blobs.folder(self._kb, document))
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.release()


class FileIncoming:
    """Port ``IncomingFile``."""

    def __init__(self, blobs: FileBlobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder
        folder.mkdir()
        self._file: BinaryIO = (folder / _ORIGINAL).open("xb", buffering=0)
        self._hash = hashlib.sha256()
        self._bytes = 0
        self._unchecked = 0

    async def write(self, data: bytes) -> None:
        """Append bytes."""
        await self._blobs.run(lambda: self._write(data))

    async def close(self) -> StoredFile:
        """Sync the file and its folder."""
        return await self._blobs.run(self._close)

    def abandon(self) -> None:
        """Give the descriptor back."""
        self._file.close()

    def _write(self, data: bytes) -> None:
        self._unchecked += len(data)
        if self._unchecked >= _CHECK_EVERY_BYTES:
            self._unchecked = 0
            self._blobs.check_space()
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self._hash.update(data)
        self._bytes += len(data)

    def _close(self) -> StoredFile:
        os.fsync(self._file.fileno())
        self._file.close()
        files.sync(self._folder)
        return StoredFile(bytes=self._bytes, sha256=self._hash.hexdigest())


def _translated(work: Callable[[], T]) -> Callable[[], T]:
    def call() -> T:
        with translate_errors():
            return work()

    return call


def _lock(folder: Path) -> FileLock:
    """Lock an upload's folder until the lock is released or this process ends. Raises Timeout: another one has it."""
    lock = FileLock(folder / _LOCK, timeout=0, mode=files.PRIVATE, thread_local=False, fallback_to_soft=False)
    lock.acquire()
    return lock


def _try_lock(folder: Path) -> FileLock | None:
    try:
        if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
            return None
        return _lock(folder)
    except (Timeout, FileNotFoundError, NotADirectoryError):
        return None
