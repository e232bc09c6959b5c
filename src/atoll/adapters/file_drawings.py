"""Drawn pages in their document's folder: ``<root>/<kb>/<document>/pages/<name>.png``."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

from atoll import files
from atoll.adapters.full_disk import translate_errors
from atoll.domain.ids import DocumentUid, KbUid
from atoll.ports.drawings import DrawingKey

_FOLDER = "pages"
_SUFFIX = ".png"


class FileDrawings:
    """Port ``Drawings`` on the file system that holds the documents.

    Args:
        root: the folder of all documents, as ``FileBlobs`` has it.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, key: DrawingKey, image: bytes) -> bool:
        """Write a picture, unless the document's folder is gone."""
        return await asyncio.to_thread(self._write, self._path(key), image)

    async def get(self, key: DrawingKey) -> bytes | None:
        """Read a picture."""
        with suppress(FileNotFoundError):
            return await asyncio.to_thread(self._path(key).read_bytes)
        return None

    async def drop(self, key: DrawingKey) -> None:
        """Remove a picture."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def all(self) -> list[tuple[DrawingKey, int]]:
        """Return the pictures on disk."""
        return await asyncio.to_thread(self._all)

    def _path(self, key: DrawingKey) -> Path:
        return self._root / key.kb / key.document / _FOLDER / f"{key.name}{_SUFFIX}"

    def _write(self, path: Path, image: bytes) -> bool:
        try:
            with translate_errors():
                # Not with parents: a removed document's folder must not come back.
                path.parent.mkdir(exist_ok=True)
                files.write(path, image)
        except FileNotFoundError:
            return False
        return True

    def _all(self) -> list[tuple[DrawingKey, int]]:
        found = []
        for path in self._root.glob(f"*/*/{_FOLDER}/*"):
            with suppress(FileNotFoundError):
                if path.suffix != _SUFFIX:  # a draft that a killed writer left; one still at work draws again
                    path.unlink()
                    continue
                state = path.stat()
                kb, document = path.parts[-4:-2]
                key = DrawingKey(KbUid(kb), DocumentUid(document), path.name.removesuffix(_SUFFIX))
                found.append((state.st_mtime_ns, path, key, state.st_size))
        return [(key, size) for _, _, key, size in sorted(found, key=lambda entry: entry[:2])]
