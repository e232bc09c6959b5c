"""A parser whose documents misbehave on purpose: the real server and limits, with work that breaks each rule in turn.

Run as ``python -m tests.support.hostile_parser SOCKET CONCURRENCY BACKLOG``; the document's name chooses the misdeed.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from atoll.adapters.parser_wire import Operation
from atoll.domain.parsed import ParsedDocument
from parser.limits import MIB, ChildLimits
from parser.server import ForkServer

LIMITS = ChildLimits(memory_bytes=400 * MIB, cpu_seconds=1, wall_seconds=3.0, output_bytes=1 * MIB, open_files=32)
SECRET = "not for children"


def misbehave(arguments: dict[str, Any], descriptors: list[int]) -> None:
    """Do what the document's name says; a well-behaved one reports what the child can see, as the document's title."""
    result = descriptors[1]
    seen = {
        "pid": os.getpid(),
        "session": os.getsid(0),
        "environment": dict(os.environ),
        "descriptors": sorted(int(entry.name) for entry in Path("/proc/self/fd").iterdir())[:-1],
        "core": Path("/proc/self/limits").read_text(),
    }
    document = ParsedDocument(json.dumps(seen), (), ())
    with os.fdopen(result, "wb", closefd=False) as file:
        file.write(json.dumps(document.to_json()).encode())
    _DEEDS[arguments["name"]](descriptors)


def _allocate(_: list[int]) -> None:
    hoard = []
    while True:
        hoard.append(bytearray(10 * MIB))


def _allocate_natively(_: list[int]) -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    while True:
        ctypes.memset(libc.malloc(ctypes.c_size_t(50 * MIB)) or 0, 1, 50 * MIB)


def _spin(_: list[int]) -> None:
    while True:
        pass


def _fill(descriptors: list[int]) -> None:
    for _ in range(100):
        os.write(descriptors[2], bytes(MIB // 4))


def _fork_away(_: list[int]) -> None:
    if os.fork() == 0:
        time.sleep(60)
    os.kill(os.getpid(), signal.SIGSEGV)


def _open_many(_: list[int]) -> None:
    for _ in range(100):
        os.open(os.devnull, os.O_RDONLY)


def _quote(_: list[int]) -> None:
    raise RuntimeError("the document says: top secret")


_DEEDS = {
    "behave": lambda _: None,
    "allocate": _allocate,
    "allocate natively": _allocate_natively,
    "spin": _spin,
    "sleep": lambda _: time.sleep(60),
    "fill": _fill,
    "crash": lambda _: ctypes.string_at(0),
    "abort": lambda _: os.abort(),
    "leave": lambda _: os._exit(0),
    "fork": _fork_away,
    "open": _open_many,
    "quote": _quote,
}


if __name__ == "__main__":
    os.environ.clear()
    server = ForkServer(
        Path(sys.argv[1]),
        {Operation.PARSE: misbehave, Operation.DRAW: misbehave},
        {Operation.PARSE: LIMITS, Operation.DRAW: LIMITS},
        concurrency=int(sys.argv[2]),
        backlog=int(sys.argv[3]),
    )
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    server.serve()
