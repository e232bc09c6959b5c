"""Whole files: whoever opens one sees the old content or the new, never a part, even after a power loss.

A file is written beside its place under a name of its own (the *draft*), synced, and renamed over the old one; then
the folder is synced, because a rename that only memory knows is lost with the power. Nothing in Atoll writes a file
that another process or a later start reads in any other way.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: Mode of a file that only its owner reads.
PRIVATE = 0o600
#: Mode of a file that every user of the machine reads, whatever the writer's umask says.
READABLE = 0o644
DRAFT_SUFFIX = ".tmp"

_PRIVATE_FOLDER = 0o700
_DRAFT_BYTES = 4


def write(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Replace ``path`` by a file that holds ``content``, durably.

    Args:
        path: the file; its folder must be there.
        content: all of it.
        mode: the file's mode, exactly; without one the umask decides.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    with draft(path) as part:
        # Closed to others from its first byte; the mode follows before the file gets its name.
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if mode is not None:
                os.fchmod(file.fileno(), mode)
        keep(part, path)


@contextmanager
def draft(path: Path) -> Iterator[Path]:
    """Name a neighbour of ``path`` to write to; it is removed afterwards unless ``keep`` put it into its place."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(_DRAFT_BYTES)}{DRAFT_SUFFIX}")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def keep(part: Path, path: Path) -> None:
    """Put a finished draft into its place: on disk before its name is, and its name before this returns."""
    sync(part)
    part.replace(path)
    sync(path.parent)


def share(path: Path, other: Path) -> None:
    """Let ``other`` be a second name of a file that is never changed, durably; a copy where there are no such names.

    Raises:
        FileNotFoundError: ``path``, or the folder of ``other``, is not there.
    """
    with draft(other) as part:
        try:
            part.hardlink_to(path)
        except FileNotFoundError:
            raise
        except OSError:  # not every file system has them, and some count them
            shutil.copyfile(path, part)
        keep(part, other)


def sweep_drafts(path: Path) -> None:
    """Remove the drafts of ``path`` that killed writers left; a writer that is still at work fails."""
    for stale in path.parent.glob(f"{glob.escape(path.name)}.*{DRAFT_SUFFIX}"):
        stale.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's names, to the disk.

    Raises:
        OSError: it cannot be opened, or the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner enters, its missing parents likewise; one that is there keeps its mode."""
    if not path.parent.is_dir():
        private_folder(path.parent)  # not mkdir's own parents: those get the umask's mode
    path.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
    return path
