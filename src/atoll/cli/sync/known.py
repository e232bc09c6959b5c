"""Hashes of files, remembered by size, times and inode, so that a file that did not change is not read again."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from atoll import files

#: A file that changed within this time may change again without another time stamp: its hash is not remembered.
UNSURE_SECONDS = 2.0
_FORMAT = 1


class Known:
    """Hashes by path. Losing them costs reading all files once more; they are never believed without their signs.

    Args:
        path: the file to keep them in.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashes: dict[str, list[object]] = _read(path)
        self._used: dict[str, list[object]] = {}

    def get(self, path: Path, status: os.stat_result) -> str | None:
        """Return the hash of a file that stands as it did when it was hashed."""
        entry = self._hashes.get(os.fspath(path))
        if entry is None or entry[1:] != signs(status):
            return None
        self._used[os.fspath(path)] = entry
        return str(entry[0])

    def note(self, path: Path, status: os.stat_result, sha256: str) -> None:
        """Remember a hash."""
        if time.time() - max(status.st_mtime, status.st_ctime) > UNSURE_SECONDS:
            self._used[os.fspath(path)] = [sha256, *signs(status)]

    def save(self) -> None:
        """Write down what was asked for or noted; files that nobody asked for are gone."""
        if self._used != self._hashes:
            files.private_folder(self._path.parent)
            files.write(self._path, json.dumps([_FORMAT, self._used]).encode(), mode=files.PRIVATE)
        self._hashes, self._used = self._used, {}


def signs(status: os.stat_result) -> list[object]:
    """What tells one state of a file from another without reading it."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _read(path: Path) -> dict[str, list[object]]:
    """What was written down; nothing where it is absent, damaged or of another version."""
    try:
        form, hashes = json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return {}
    return hashes if form == _FORMAT and isinstance(hashes, dict) else {}
