"""Waiting until something in a folder changes: told by the kernel where it can, else by looking every few seconds."""

from __future__ import annotations

import ctypes
import os
import select
from pathlib import Path
from types import TracebackType
from typing import Self

#: How often a folder is looked at whose changes nobody tells (some network drives); also how late a change may be seen.
LOOK_SECONDS = 5.0
#: After a change, so many seconds without another one before it is acted on, and the most to wait for them.
_QUIET_SECONDS, _MOST_QUIET = 0.5, 20
_EVENT_BYTES = 64 * 1024
#: IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVE_SELF, IN_ATTRIB and
#: IN_ONLYDIR.
_MASK = 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800 | 0x4 | 0x01000000


class Changes:
    """Tells that a folder tree may have changed. Telling too often is harmless.

    Args:
        root: the folder.
        look_seconds: how long ``wait`` waits at most; then the folder is looked at all the same.
    """

    def __init__(self, root: Path, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._root = root
        self._look_seconds = look_seconds
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor: int = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        self.follow()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def follow(self) -> None:
        """Watch every folder of the tree, also those that are new. To be called before the tree is looked at."""
        if self._descriptor < 0:
            return
        for folder, folders, _ in os.walk(self._root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            # A folder that cannot be watched, or one too many, is looked at from time to time.
            self._libc.inotify_add_watch(self._descriptor, os.fsencode(folder), _MASK)

    def wait(self) -> None:
        """Return when something has changed and is quiet again, or after a while."""
        if not self._told(self._look_seconds):
            return
        for _ in range(_MOST_QUIET):
            if not self._told(_QUIET_SECONDS):
                return

    def _told(self, seconds: float) -> bool:
        """Wait for word of a change."""
        watched = [self._descriptor] if self._descriptor >= 0 else []
        ready, _, _ = select.select(watched, [], [], seconds)
        if ready:
            os.read(self._descriptor, _EVENT_BYTES)
        return bool(ready)
