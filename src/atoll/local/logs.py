"""Log files of the roles: written by the children themselves, kept small by the supervisor.

A child appends to its file directly, so that no line is lost when the supervisor dies and no child ever waits for
it. The bound is kept from outside: past `MAX_BYTES` the content moves to ``<role>.log.1`` and the file is emptied in
place, which works because every writer appends. Lines written in the milliseconds between may be lost; a log that
waits for its reader would be worse.
"""

from __future__ import annotations

import os
from pathlib import Path

from atoll import files

#: Two of these (the file and its predecessor) are kept for each role.
MAX_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 64 * 1024
_MAX_REASON_CHARACTERS = 500


def open_log(path: Path) -> int:
    """Open a log for appending; the caller closes the descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def keep_small(path: Path, max_bytes: int = MAX_BYTES) -> None:
    """Move what a log holds to its predecessor once it is over ``max_bytes``."""
    try:
        if path.stat().st_size <= max_bytes:
            return
    except FileNotFoundError:
        return
    predecessor = path.with_name(path.name + ".1")
    with path.open("rb") as source:
        source.seek(max(0, path.stat().st_size - max_bytes))  # a flood must not make the predecessor large either
        files.write(predecessor, source.read(max_bytes), mode=files.PRIVATE)
    os.truncate(path, 0)


def size(path: Path) -> int:
    """Return the bytes of a log, 0 when there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def last_line(path: Path, since: int = 0) -> str:
    """Return the last line that is not empty, written after byte ``since``: a refusal's one-line reason."""
    lines = tail(path, 1, since)
    return lines[0].strip()[:_MAX_REASON_CHARACTERS] if lines else ""


def tail(path: Path, count: int, since: int = 0) -> list[str]:
    """Return the last ``count`` lines that are not empty, at most 64 KiB of them."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = since if since <= end else 0  # the log was emptied in between
            file.seek(max(start, end - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:] if count > 0 else []
