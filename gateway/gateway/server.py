"""The HTTP server around the application: its bounds, its socket, and how it stops."""

from __future__ import annotations

import asyncio
import signal
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from atoll.errors import StartRefused
from gateway.connections import BoundedConnection, room

_BACKLOG = 1024
_KEEP_ALIVE_SECONDS = 30
#: Answers that are being written get so long to end after SIGTERM; event streams end at once.
_DRAIN_SECONDS = 10
_MAX_HEADER_BYTES = 32 * 1024


class GatewayServer(uvicorn.Server):
    """Tells the application that the process stops: streams that never end by themselves would hold it up."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


async def serve(app: FastAPI, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    BoundedConnection.most = room()
    config = uvicorn.Config(
        app,
        http=BoundedConnection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # who asks is decided by keys; the peer's own address says whether it is this machine
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
    )
    # The server sends itself the signal again when it has ended; then there are still clients to close.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    await GatewayServer(config, app.state.runtime.stopping).serve([listener])


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. Raises StartRefused when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each answer waits 40 ms for an ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what does, or set ATOLL_GATEWAY__PORT"
        ) from error
    return listener
