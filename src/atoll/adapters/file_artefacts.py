"""Stage outputs in their document's folder: ``<root>/<kb>/<document>/artefacts/<stage>.<key>/<part>``.

Outputs from before keys stood in the ledger lie beside these folders under names of their own (see ``_unkeyed``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

import orjson

from atoll import files
from atoll.adapters.full_disk import translate_errors
from atoll.domain.artefact import PAGE_SIZES, RENDITION, UNKEYED, Artefact
from atoll.domain.document import Stage
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.page_archive import ARCHIVE, BATCH_PREFIX
from atoll.errors import ArtefactMissing, NotFound

T = TypeVar("T")

_FOLDER = "artefacts"
#: The list of page vectors that an earlier Atoll wrote.
_UNKEYED_PAGES = "page_vectors.json"


class FileArtefacts:
    """Ports ``Artefacts`` and ``ArtefactArchive`` on the file system that holds the documents.

    Args:
        root: the folder of all documents, as ``FileBlobs`` has it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, artefact: Artefact, part: str, content: bytes) -> None:
        """Write a part, synced."""

        def work() -> None:
            with self._drafted(self._path(artefact, part)) as file:
                file.write(content)

        await _run(work)

    @asynccontextmanager
    async def draft(self, artefact: Artefact, part: str) -> AsyncIterator[BinaryIO]:
        """Give a file that becomes a part."""
        async with _in_threads(self._drafted(self._path(artefact, part))) as file:
            yield file

    async def get(self, artefact: Artefact, part: str) -> bytes:
        """Read a part."""

        def work() -> bytes:
            with self._part(artefact, part) as file:
                return file.read()

        return await _run(work)

    async def open(self, artefact: Artefact, part: str) -> BinaryIO:
        """Open a part."""
        return await _run(lambda: self._part(artefact, part))

    async def exists(self, artefact: Artefact, part: str) -> bool:
        """Return whether a part is there."""

        def work() -> bool:
            try:
                return self._path(artefact, part).is_file()
            except FileNotFoundError:
                return False

        return await _run(work)

    async def share(self, artefact: Artefact, reading: DocumentUid) -> None:
        """Let another reading have the same files."""

        def work() -> None:
            source = self._output(artefact)
            target = self._output(replace(artefact, document=reading))
            parts = [path for path in source.glob("*") if path.suffix != files.DRAFT_SUFFIX]
            if parts:
                target.mkdir(parents=True, exist_ok=True)
            for path in parts:
                try:
                    files.share(path, target / path.name)
                except FileNotFoundError as error:
                    raise NotFound("the document was removed while it was read again") from error

        await _run(work)

    async def names(self, kb: KbUid, document: DocumentUid) -> list[str]:
        """Return the paths of all parts below the document's artefacts."""

        def work() -> list[str]:
            folder = self._folder(kb, document)
            found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != files.DRAFT_SUFFIX)
            return sorted(path.relative_to(folder).as_posix() for path in found)

        return await _run(work)

    async def read(self, kb: KbUid, document: DocumentUid, name: str) -> BinaryIO:
        """Open what ``names`` named."""
        path = self._named(kb, document, name)
        try:
            return await _run(lambda: path.open("rb"))
        except FileNotFoundError as error:
            raise ArtefactMissing(f"the stage output {name} is not there") from error

    @asynccontextmanager
    async def restore(self, kb: KbUid, document: DocumentUid, name: str) -> AsyncIterator[BinaryIO]:
        """Give a file that becomes a part under that name."""
        path = self._named(kb, document, name)
        await _run(lambda: self._folder(kb, document).parent.mkdir(parents=True, exist_ok=True))
        async with _in_threads(self._drafted(path)) as file:
            yield file

    def _folder(self, kb: KbUid, document: DocumentUid) -> Path:
        return self._root / kb / document / _FOLDER

    def _output(self, artefact: Artefact) -> Path:
        return self._folder(artefact.kb, artefact.document) / f"{artefact.stage}.{artefact.key}"

    def _named(self, kb: KbUid, document: DocumentUid, name: str) -> Path:
        if name.startswith("/") or ".." in name.split("/"):
            raise NotFound(f"{name[:80]!r} is no name of a stage output")
        return self._folder(kb, document) / name

    def _path(self, artefact: Artefact, part: str) -> Path:
        folder = self._folder(artefact.kb, artefact.document)
        if artefact.key == UNKEYED:
            return _unkeyed(folder, artefact.stage, part)
        return self._output(artefact) / part

    def _part(self, artefact: Artefact, part: str) -> BinaryIO:
        try:
            return self._path(artefact, part).open("rb")
        except FileNotFoundError as error:
            missing = f"{part} of stage {artefact.stage} of document {artefact.document} is not there"
            raise ArtefactMissing(missing, artefact.stage) from error

    @contextmanager
    def _drafted(self, path: Path) -> Iterator[BinaryIO]:
        """Give a draft that takes the place of ``path`` if the block ends well and left something in it."""
        self._make_folder(path.parent)
        files.sweep_drafts(path)  # an attempt that still runs elsewhere has lost its lease
        try:
            with files.draft(path) as part:
                with part.open("x+b") as file:
                    yield file
                    file.flush()
                    is_empty = os.fstat(file.fileno()).st_size == 0
                if is_empty:
                    path.unlink(missing_ok=True)
                else:
                    files.keep(part, path)
        except FileNotFoundError as error:
            raise NotFound("the document was removed while an output of it was written") from error

    def _make_folder(self, folder: Path) -> None:
        """Make the folder of an output, durably; the folder of a document that was removed must not come back."""
        kb_and_document = 2
        places = [folder, *folder.parents]
        for each in reversed(places[: places.index(self._root) - kb_and_document]):
            try:
                each.mkdir()
            except FileExistsError:
                continue
            except FileNotFoundError as error:
                raise NotFound("the document was removed; nothing is kept for it") from error
            files.sync(each.parent)


def _unkeyed(folder: Path, stage: Stage, part: str) -> Path:
    """Return where an earlier Atoll left what readers need: page vectors lie in the folder that their list names.

    Raises:
        FileNotFoundError: there is no such list.
    """
    if stage is Stage.EMBED and part.startswith(BATCH_PREFIX):
        batches = orjson.loads((folder / _UNKEYED_PAGES).read_bytes())["folder"]
        return folder / str(batches) / f"{part.removeprefix(BATCH_PREFIX)}.npz"
    names = {
        (Stage.PARSE, RENDITION): "rendition.pdf",
        (Stage.PARSE, PAGE_SIZES): "pages.json",
        (Stage.EMBED, ARCHIVE): _UNKEYED_PAGES,
    }
    return folder / names.get((stage, part), f"{UNKEYED}.{part}")


async def _run(work: Callable[[], T]) -> T:
    def call() -> T:
        with translate_errors():
            return work()

    return await asyncio.to_thread(call)


@asynccontextmanager
async def _in_threads(manager: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Enter and leave a context manager off the event loop."""
    entered = await _run(manager.__enter__)
    try:
        yield entered
    except BaseException as error:
        if not await _run(partial(manager.__exit__, type(error), error, error.__traceback__)):
            raise
    else:
        await _run(lambda: manager.__exit__(None, None, None))
