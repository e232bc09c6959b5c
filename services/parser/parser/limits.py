"""What one child may use, and how it is confined."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from atoll.errors import DocumentTooLarge

MIB = 1024 * 1024

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
#: Loaded once, in the fork server: a child looks nothing up.
_LIBC = ctypes.CDLL(None, use_errno=True)
_FIRST_GIVEN = 3


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """What the kernel and the server allow one child."""

    memory_bytes: int = 1536 * MIB
    cpu_seconds: int = 300
    wall_seconds: float = 600.0
    output_bytes: int = 512 * MIB
    open_files: int = 64


@dataclass(frozen=True, slots=True)
class ContentLimits:
    """What a document may hold; each is told by its own message."""

    pages: int = 5_000
    characters: int = 20_000_000
    page_glyphs: int = 200_000
    pixels: int = 40_000_000
    inflated_bytes: int = 512 * MIB
    archive_entries: int = 10_000
    archive_ratio: int = 200

    def check_pages(self, count: int) -> None:
        """Raise `DocumentTooLarge` when ``count`` pages are too many."""
        if count > self.pages:
            raise DocumentTooLarge(f"the document has {count} pages or more; the limit is {self.pages}")

    def check_characters(self, count: int) -> None:
        """Raise `DocumentTooLarge` when ``count`` characters are too many."""
        if count > self.characters:
            raise DocumentTooLarge(
                f"the document has {count} characters of text or more; the limit is {self.characters}"
            )


def confine(limits: ChildLimits, *, parent: int, keep: list[int]) -> list[int]:
    """Shut the calling process in, for good, and return where the descriptors ``keep`` are now.

    Afterwards it has a session of its own, dies with ``parent``, holds no descriptor but ``keep`` (renumbered from 3)
    and cannot pass the limits. Called in a freshly forked, single-threaded child, before any byte of a document.
    """
    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above could tell the kernel
        os._exit(1)
    _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    kept = _keep_only(keep)
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, 0),  # no further process; the superuser is exempt, so containers run without it
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_AS, limits.memory_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (allowed, allowed))
    # One second between the signal that says why and the one that cannot be caught.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    return kept


def _keep_only(keep: list[int]) -> list[int]:
    """Close every descriptor but ``keep``, which move to 3, 4, ...; the standard streams become /dev/null."""
    above = [os.dup(descriptor) for descriptor in keep]
    while min(above, default=_FIRST_GIVEN) < _FIRST_GIVEN + len(keep):
        above = [os.dup(descriptor) for descriptor in above]
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(_FIRST_GIVEN):
        os.dup2(null, stream)
    for position, descriptor in enumerate(above):
        os.dup2(descriptor, _FIRST_GIVEN + position)
    os.closerange(_FIRST_GIVEN + len(keep), _highest_descriptor() + 1)
    return list(range(_FIRST_GIVEN, _FIRST_GIVEN + len(keep)))


def _highest_descriptor() -> int:
    return max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
