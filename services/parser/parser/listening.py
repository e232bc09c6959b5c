"""The socket that the parser listens on: one server at a time, and the socket of a dead one is replaced."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from atoll.errors import StartRefused

if TYPE_CHECKING:
    from pathlib import Path

#: How long a server that may be alive has to take a connection.
_PROBE_SECONDS = 5.0
#: Connections that the kernel keeps for us until they are accepted.
_BACKLOG = 64


def listen(socket_path: Path) -> socket.socket:
    """A listening socket at the path, replacing one that a dead server left.

    Raises:
        StartRefused: a living server answers there, or the path is no socket.
    """
    if socket_path.exists() and not socket_path.is_socket():
        raise StartRefused(f"{socket_path} is not a socket: choose another ATOLL_PARSER__SOCKET or remove that file")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(socket_path))
        except (FileNotFoundError, ConnectionRefusedError):
            socket_path.unlink(missing_ok=True)
        except OSError as err:
            raise StartRefused(f"{socket_path} cannot be used: {err}; choose another ATOLL_PARSER__SOCKET") from err
        else:
            raise StartRefused(f"another parser serves {socket_path}: stop it first")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(socket_path))
    socket_path.chmod(0o660)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def remove(socket_path: Path, bound: os.stat_result) -> None:
    """Remove the socket that we bound, not one that a successor has put in its place."""
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(socket_path.stat(), bound):
            socket_path.unlink()
