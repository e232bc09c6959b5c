"""Copies of a shard's folder: holes stay holes, and what was copied is brought to the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from atoll import files

_BLOCK_BYTES = 1 << 20
_STAT_BLOCK_BYTES = 512  # whatever the file system's block size is


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
            files.sync(Path(entry.path))
    files.sync(directory)


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
