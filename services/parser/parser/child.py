"""What happens in the forked child: it is shut in, does one operation, and says how it went in one short message."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from atoll.errors import AtollError, DocumentTooLarge, ParserDied
from parser.limits import MIB, ChildLimits, confine

#: Does one operation: its arguments and descriptors in, nothing out but what it writes to them.
Work = Callable[[dict[str, Any], list[int]], None]

#: A pipe takes this much at once without blocking (PIPE_BUF), so a verdict is written whole or not at all.
VERDICT_BYTES = 4096
_MESSAGE_CHARACTERS = 600


def run_child(
    work: Work, arguments: dict[str, Any], descriptors: list[int], verdict: int, *, limits: ChildLimits, parent: int
) -> None:
    """Never returns. Everything after the fork happens here."""
    code = 1
    try:
        _forget_signals()
        *given, verdict = confine(limits, parent=parent, keep=[*descriptors, verdict])
        os.write(verdict, _verdict(work, arguments, given, limits))
        code = 0
    finally:
        # No clean-up of the parent's objects, no buffers of the parent's streams, no exit handlers.
        os._exit(code)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _verdict(work: Work, arguments: dict[str, Any], descriptors: list[int], limits: ChildLimits) -> bytes:
    try:
        work(arguments, descriptors)
    except AtollError as err:
        return _told(err)
    except MemoryError:
        return _told(ParserDied(f"reading it needs more than {limits.memory_bytes // MIB} MiB of memory"))
    except OSError as err:
        if err.errno == errno.EFBIG:
            return _told(DocumentTooLarge(f"what is made of it is over the limit of {limits.output_bytes // MIB} MiB"))
        return _told(_defect(err))
    except Exception as err:  # noqa: BLE001 - outermost boundary of a process whose input is hostile
        return _told(_defect(err))
    return b"{}"


def _defect(err: Exception) -> ParserDied:
    """An error nobody foresaw, by its type and place only: its text may quote the document."""
    frames = traceback.extract_tb(err.__traceback__)
    place = f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return ParserDied(f"the parser failed on it ({type(err).__name__} at {place}); report this document")


def _told(err: AtollError) -> bytes:
    error = {"type": err.type, "message": err.message[:_MESSAGE_CHARACTERS], "page": getattr(err, "page", None)}
    return json.dumps({"error": error}).encode()[:VERDICT_BYTES]


def read_verdict(pipe: int) -> dict[str, Any] | None:
    """The message that a child left, or None when it left none that can be read."""
    with contextlib.suppress(BlockingIOError, ValueError):
        message = json.loads(os.read(pipe, VERDICT_BYTES))
        if isinstance(message, dict):
            return message
    return None


def died_because(status: int, limits: ChildLimits) -> str:
    """Why a child without a verdict ended, from its wait status."""
    if not os.WIFSIGNALED(status):
        return "its process ended without an answer"
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return f"reading it takes more than {limits.cpu_seconds} s of processor time"
    if number == signal.SIGKILL:
        return "its process was killed from outside, most likely because the machine ran out of memory"
    return f"its process crashed ({signal.Signals(number).name})"
