"""Which files an `ingest` means."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from atoll.errors import BadInput


@dataclass(frozen=True, slots=True)
class Source:
    """A file to send; ``asked`` says whether the file itself was named, not just a folder that holds it.

    ``below`` is the folder that its source is relative to, None the one that it lies in.
    """

    path: Path
    asked: bool
    below: Path | None = None

    @property
    def name(self) -> str:
        """What the document will be called."""
        return _text(self.path.name)

    @property
    def folder(self) -> str:
        """What the document's source will be; empty for a file that lies in ``below`` itself."""
        if self.below is None:
            return ""
        folder = self.path.parent.resolve().relative_to(self.below.resolve()).as_posix()
        return "" if folder == os.curdir else _text(folder)

    @property
    def place(self) -> str:
        """Source and name as one path."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is not sent, and why; ``failed`` when it should have been."""

    path: Path
    reason: str
    failed: bool = False


def find(paths: Iterable[Path], root: Path | None = None) -> Iterator[Source | Skipped]:
    """Yield what the paths mean, each file once: files as they are named, folders in sorted order.

    Sources are relative to ``root``, and without it to the folder that was named or that holds the file.

    In folders hidden files are left out and links are never followed: one that leads out of the folder could send
    what nobody meant to send, and one that stays inside leads to a file that is found anyway.

    Raises:
        BadInput: a path does not lie below ``root``.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        is_folder = path.is_dir()
        below = root or (path if is_folder else path.parent)
        if not (path if is_folder else path.parent).resolve().is_relative_to(below.resolve()):
            raise BadInput(f"{path} does not lie below --root {below}")
        found = in_folder(path, below) if is_folder else iter([Source(path, asked=True, below=below)])
        for item in found:
            if isinstance(item, Skipped):
                yield item
                continue
            try:
                status = item.path.stat()
            except OSError as error:
                yield Skipped(item.path, f"cannot be read: {error.strerror}", failed=True)
                continue
            if (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                yield item


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", errors="replace")


def in_folder(root: Path, below: Path) -> Iterator[Source | Skipped]:
    """Yield the files of a folder tree, whose sources are relative to ``below``, and what of it is passed over."""
    unreadable: list[OSError] = []
    for folder, folders, names in os.walk(root, followlinks=False, onerror=unreadable.append):
        here = Path(folder)
        linked = {name for name in folders if (here / name).is_symlink()}
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in linked)
        for name in sorted([*names, *linked]):
            path = here / name
            if name.startswith("."):
                continue
            if path.is_symlink():
                yield Skipped(path, "a link, not followed")
            elif not path.is_file():
                yield Skipped(path, "not a file")
            else:
                yield Source(path, asked=False, below=below)
    for error in unreadable:
        yield Skipped(Path(error.filename), f"cannot be read: {error.strerror}", failed=True)


class CountedFile(io.FileIO):
    """A file being sent, which tells how much of it was read."""

    def __init__(self, source: Source, on_read: Callable[[int], None]) -> None:
        super().__init__(_open(source), "rb")
        self._on_read = on_read

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as a file does."""
        content = super().read(-1 if size is None else size)
        self._on_read(self.tell())
        return content

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return os.fstat(self.fileno()).st_size


def _open(source: Source) -> int:
    """Open a regular file; what was found in a folder must not have become a link since.

    Raises:
        BadInput: it cannot be read.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if source.asked else os.O_NOFOLLOW)
    try:
        descriptor = os.open(source.path, flags)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadInput("is not a regular file")
    return descriptor
