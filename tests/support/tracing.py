"""What a process asks of the kernel, by `strace`: the order of its calls, and calls that are made to fail."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import require, unavailable, until

_ATTACHED = "attached"
_LINE = re.compile(r"^(?P<thread>\d+) +(?P<rest>.*)$")
_UNFINISHED = re.compile(r"^(?P<start>.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^<\.\.\. \w+ resumed>(?P<end>.*)$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)")
_DESCRIPTOR = re.compile(r"^-?\w+<(?P<path>[^>]*)>")


@dataclass(frozen=True)
class Call:
    """One system call: when it began and ended (as positions in the trace), on which path, with what result."""

    name: str
    arguments: str
    result: int
    began: int
    ended: int

    @property
    def path(self) -> str:
        """The file behind the first argument, a descriptor."""
        found = _DESCRIPTOR.match(self.arguments)
        return found["path"] if found else ""


@contextmanager
def traced(pid: int, output: Path, *options: str) -> Iterator[None]:
    """Trace all threads of a process until the block ends."""
    errors = output.with_suffix(".err")
    with errors.open("wb") as stderr:
        tracer = subprocess.Popen(
            [require("strace"), "-f", "-y", "-s", "64", *options, "-o", str(output), "-p", str(pid)], stderr=stderr
        )
        try:
            until(lambda: _ATTACHED in errors.read_text() or tracer.poll() is not None, 20, "strace is attached")
            if tracer.poll() is not None:
                unavailable(f"this machine lets tests trace nothing: {errors.read_text().strip()}")
            yield
        finally:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(20)


def calls(output: Path) -> list[Call]:
    """Return the calls of a trace in the order in which they ended."""
    begun: dict[str, tuple[str, int]] = {}
    found = []
    for position, line in enumerate(output.read_text(errors="replace").splitlines()):
        if not (parts := _LINE.match(line)):
            continue
        thread, rest = parts["thread"], parts["rest"]
        if unfinished := _UNFINISHED.match(rest):
            begun[thread] = (unfinished["start"], position)
            continue
        began = position
        if resumed := _RESUMED.match(rest):
            start, began = begun.pop(thread, ("", position))
            rest = start + resumed["end"]
        if call := _CALL.match(rest):
            found.append(Call(call["name"], call["arguments"], int(call["result"]), began, position))
    return found
