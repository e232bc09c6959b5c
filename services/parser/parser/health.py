"""The parser's health check: ``python -m parser.health SOCKET`` asks it for a sign of life, as its clients do."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from atoll.adapters.socket_parser import SocketParser
from atoll.errors import AtollError


def main() -> int:
    """Ask once and return the exit code."""
    try:
        asyncio.run(SocketParser(Path(sys.argv[1])).ping())
    except AtollError as error:
        sys.stdout.write(f"{error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
