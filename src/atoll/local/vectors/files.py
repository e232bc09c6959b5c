"""Files that survive a crash: one owner per directory, atomic writes, sparse copies."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from atoll.errors import StartRefused

_BLOCK_BYTES = 1 << 20
_STAT_BLOCK_BYTES = 512  # whatever the file system's block size is


def lock(directory: Path) -> BinaryIO:
    """Take the directory for this process until the returned file is closed or the process ends, however it ends.

    Raises:
        StartRefused: another live process owns it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = (directory / "lock").open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read(20).decode(errors="replace").strip()
        file.close()
        raise StartRefused(
            f"{directory} is in use by another vector server (pid {owner or 'unknown'}); stop it or set another folder"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file


def sync_directory(directory: Path) -> None:
    """Make creations, renames and removals in ``directory`` survive a power loss."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace ``path``: a reader, or a start after a crash, sees the old content or the new, whole."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


def copy_tree(source: Path, target: Path) -> None:
    """Copy a directory of regular files, leaving holes as holes: shards are mostly preallocated space.

    Hard links would not do: the engine writes its files in place.
    """
    target.mkdir()
    for entry in os.scandir(source):
        if entry.is_dir(follow_symlinks=False):
            copy_tree(Path(entry.path), target / entry.name)
        else:
            _copy_sparse(Path(entry.path), target / entry.name)


def disk_bytes(directory: Path) -> int:
    """Return how much of the disk the files below ``directory`` take; holes take nothing."""
    return sum(path.lstat().st_blocks * _STAT_BLOCK_BYTES for path in directory.rglob("*"))


def sync_tree(directory: Path) -> None:
    """Make every file below ``directory`` survive a power loss."""
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            sync_tree(Path(entry.path))
        else:
            with Path(entry.path).open("rb") as file:
                os.fsync(file.fileno())
    sync_directory(directory)


def _copy_sparse(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("xb") as writer:
        size = os.fstat(reader.fileno()).st_size
        os.ftruncate(writer.fileno(), size)
        start = 0
        while start < size:
            try:
                start = os.lseek(reader.fileno(), start, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                    return
                raise
            end = os.lseek(reader.fileno(), start, os.SEEK_HOLE)
            os.lseek(reader.fileno(), start, os.SEEK_SET)
            os.lseek(writer.fileno(), start, os.SEEK_SET)
            while start < end:
                block = os.read(reader.fileno(), min(_BLOCK_BYTES, end - start))
                if not block:
                    return
                os.write(writer.fileno(), block)
                start += len(block)
