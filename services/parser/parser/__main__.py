"""Starts the parser role: the only place here that knows settings."""

from __future__ import annotations

import gc
import os
import signal
import sys

from atoll.adapters.parser_wire import Operation
from atoll.errors import StartRefused
from atoll.settings import load
from parser.limits import MIB, ChildLimits, ContentLimits
from parser.recognise.engine import Engine
from parser.server import ForkServer
from parser.typeset.fonts import Fonts
from parser.work import Draw, Parse

#: A page that takes longer to draw than this is not one that somebody waits for.
_DRAW_SECONDS = 30
#: Part of a child's processor time that recognising pictures may take; the rest is for what comes before and after.
_RECOGNISING_SHARE = 0.7


def main() -> int:
    """Serve until SIGTERM; the exit code."""
    settings = load()
    section = settings.parser
    limits = ChildLimits(
        memory_bytes=section.memory_mib * MIB,
        cpu_seconds=section.cpu_seconds,
        wall_seconds=section.wall_seconds,
        output_bytes=section.output_mib * MIB,
    )
    draw_limits = ChildLimits(
        memory_bytes=limits.memory_bytes,
        cpu_seconds=min(_DRAW_SECONDS, limits.cpu_seconds),
        wall_seconds=min(_DRAW_SECONDS, limits.wall_seconds),
        output_bytes=limits.output_bytes,
    )
    content = ContentLimits(
        pages=section.max_pages, characters=section.max_characters, page_glyphs=section.max_page_glyphs
    )
    seconds = limits.cpu_seconds * _RECOGNISING_SHARE
    engine = Engine(settings.ocr.data_dir, settings.ocr.languages.split("+"), seconds)
    socket_path = settings.parser_socket
    concurrency = section.concurrency or os.cpu_count() or 1
    # Children inherit the environment: from here on there is none.
    os.environ.clear()
    socket_path.parent.mkdir(parents=True, exist_ok=True)
    server = ForkServer(
        socket_path,
        {Operation.PARSE: Parse(content, Fonts(), engine), Operation.DRAW: Draw(content)},
        {Operation.PARSE: limits, Operation.DRAW: draw_limits},
        concurrency=concurrency,
    )
    # What is loaded now stays; unmoved by the collector, its memory is shared with every child.
    gc.collect()
    gc.freeze()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.serve()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except StartRefused as refusal:
        print(refusal.message, file=sys.stderr)  # noqa: T201 - the one line an operator sees
        sys.exit(1)
