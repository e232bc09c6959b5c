"""TCP ports of the local stack: taken ones are told before anything starts, with who holds them."""

from __future__ import annotations

import socket

from atoll.errors import StartRefused
from atoll.local import pids

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now (0 asks for any)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do: connections of an earlier life that still wait to be forgotten do not block the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def claim(port: int, *, setting: str, host: str = LOOPBACK) -> int:
    """Return ``port`` when it is free.

    Raises:
        StartRefused: it is taken; the message names the port, the holder if it can be told, and the setting.
    """
    if is_free(port, host):
        return port
    holder = pids.listener(port)
    by = f" by {pids.name(holder)} (pid {holder})" if holder else ""
    raise StartRefused(f"port {port} on {host} is taken{by}; stop what uses it or set {setting} to a free port")


def prefer(port: int, taken: frozenset[int] = frozenset()) -> int:
    """Return ``port`` when it is free and not in ``taken``, else a free port the kernel picks."""
    if port not in taken and is_free(port):
        return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
