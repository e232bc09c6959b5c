"""A container's health check: ask a server the way its clients do, or look for the sign of life of a worker.

``python -m atoll.ops.health URL [--token-file FILE]`` exits 0 on status 200; ``python -m atoll.ops.health --heartbeat
FILE`` exits 0 when the file was touched a short while ago. Otherwise 1, with one line that says why.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 4.0
#: A worker touches its file every few seconds; one that is silent for so long does not work any more.
_HEARTBEAT_SECONDS = 30.0
_OK = 200


def answers(url: str, token_file: Path | None) -> str | None:
    """Return why ``url`` does not answer with 200, or None when it does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=_TIMEOUT_SECONDS)
    try:
        headers = {} if token_file is None else {"Authorization": f"Bearer {token_file.read_text('utf-8').strip()}"}
        connection.request("GET", parts.path, headers=headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if status == _OK else f"status {status}"


def beats(path: Path) -> str | None:
    """Return why the sign of life at ``path`` is not good enough, or None when it is."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError as error:
        return f"no sign of life at {path}: {error.strerror}"
    return None if age < _HEARTBEAT_SECONDS else f"the last sign of life is {age:.0f} s old"


def main(arguments: list[str] | None = None) -> int:
    """Check once and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atoll.ops.health")
    parser.add_argument("url", nargs="?")
    parser.add_argument("--token-file", type=Path)
    parser.add_argument("--heartbeat", type=Path)
    chosen = parser.parse_args(arguments)
    if (chosen.url is None) == (chosen.heartbeat is None):
        parser.error("give a URL or --heartbeat FILE")
    reason = answers(chosen.url, chosen.token_file) if chosen.heartbeat is None else beats(chosen.heartbeat)
    if reason is not None:
        sys.stdout.write(f"{reason}\n")
    return 0 if reason is None else 1


if __name__ == "__main__":
    sys.exit(main())
