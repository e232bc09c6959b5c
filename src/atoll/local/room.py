"""Whether the disk has room for a start: a stack that starts and then finds none helps nobody."""

from __future__ import annotations

import shutil
from pathlib import Path

from atoll.errors import StorageFull

#: What a start writes at most before anything is ingested: databases, logs, credentials.
NEEDED_BYTES = 64 * 2**20
_MIB = 2**20


def require(folder: Path, needed_bytes: int = NEEDED_BYTES) -> None:
    """Return when the disk of ``folder``, which need not exist yet, has room for a start.

    Raises:
        StorageFull: it has not; the message says how many MiB are missing.
    """
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    free = shutil.disk_usage(there).free
    if free < needed_bytes:
        missing = -(-(needed_bytes - free) // _MIB)
        raise StorageFull(
            f"the disk of {folder.absolute()} has {free // _MIB} MiB free and a start needs {needed_bytes // _MIB}: "
            f"free {missing} MiB more, or set ATOLL_DATA_DIR to a folder on another disk"
        )
