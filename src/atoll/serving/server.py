"""Waitress, driven step by step so that the process can drain: answer what was accepted, then leave."""

from __future__ import annotations

import contextlib
import logging
import select
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server

from atoll.errors import StartRefused
from atoll.serving.drain import Lifecycle

#: Threads that read, tokenise, wait and write; see Admission for how they are shared out.
REQUEST_THREADS = 64
#: Open connections; more wait in the kernel's backlog.
CONNECTIONS = 256
#: Longest wait for requests that were accepted before the process was told to stop.
DRAIN_SECONDS = 60.0
#: No request may arrive for so long before the sockets are closed.
QUIET_SECONDS = 0.2
_POLL_SECONDS = 1.0
_DRAIN_POLL_SECONDS = 0.05

_log = logging.getLogger(__name__)


class _Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose client may close its sending half after a request: the answer is still written.

    Both a client that has gone and one that only has nothing more to say look the same, the end of what can be read.
    So an interim answer (100) is sent, which HTTP/1.1 clients pass over: to one that has gone the kernel replies with a
    reset, by which ``check_client_disconnected`` tells them apart while the request waits or runs.
    """

    _ended = False

    def readable(self) -> bool:
        """Leave the end of the stream alone while its request is in work: it would be readable without end."""
        return bool(super().readable()) and not (self._ended and self.requests)

    def handle_read(self) -> None:
        """Note the end of the stream while a request is in work; read as ever otherwise."""
        if self.requests and self._is_at_end():
            self._ended = True
            self._ask_for_a_reset()
        else:
            super().handle_read()

    def check_client_disconnected(self) -> bool:
        """Say whether nobody waits for the answer any more."""
        return bool(super().check_client_disconnected()) or (self._ended and _is_reset(self.socket))

    def _is_at_end(self) -> bool:
        try:
            return bool(self.socket.recv(1, socket.MSG_PEEK) == b"")
        except OSError:
            return False

    def _ask_for_a_reset(self) -> None:
        asked = self.requests[:1]  # none is left if another thread has just finished the answer
        if not asked or asked[0].version != "1.1":  # an older client would take an interim answer for the answer
            return
        with self.outbuf_lock:
            if not self.total_outbufs_len:
                with contextlib.suppress(OSError):
                    self.socket.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def _is_reset(connection: socket.socket) -> bool:
    poller = select.poll()
    try:
        poller.register(connection, 0)  # hang-ups and errors are always told
    except (OSError, ValueError):
        return True
    return any(bool(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL)) for _, events in poller.poll(0))


def serve(app: Callable[..., Any], *, host: str, port: int, lifecycle: Lifecycle, max_body_bytes: int) -> bool:
    """Serve until SIGTERM or SIGINT, then drain.

    Returns:
        Whether every accepted request was answered within ``DRAIN_SECONDS``.

    Raises:
        StartRefused: the address cannot be listened on.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # its depth is bounded and in the metrics
    sockets: dict[int, Any] = {}
    try:
        server = create_server(
            app,
            map=sockets,
            host=host,
            port=port,
            threads=REQUEST_THREADS,
            connection_limit=CONNECTIONS,
            backlog=CONNECTIONS,
            max_request_body_size=2 * max_body_bytes,  # the application refuses first, in the API's own words
            channel_request_lookahead=1,  # else a client that went away is noticed only when it is written to
            asyncore_use_poll=True,
            ident="",
        )
    except OSError as error:
        raise StartRefused(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from error

    server.channel_class = _Channel

    def stop(_signal: int, _frame: FrameType | None) -> None:
        lifecycle.drain()
        server.pull_trigger()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _log.info("listening on %s:%d", host, port)
    while not lifecycle.draining:
        wasyncore.loop(timeout=_POLL_SECONDS, use_poll=True, map=sockets, count=1)
    answered = _drain(server, sockets)
    server.task_dispatcher.shutdown()
    wasyncore.close_all(sockets, ignore_all=True)
    return answered


def _pending(sockets: dict[int, Any]) -> bool:
    """Say whether something waits to be read: a process that was not scheduled for a while is quiet, but not idle."""
    poller = select.poll()
    for descriptor in sockets:
        poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


def _drain(server: Any, sockets: dict[int, Any]) -> bool:
    """Keep answering until nothing was in work for ``QUIET_SECONDS``; later requests meet 503."""
    until = time.monotonic() + DRAIN_SECONDS
    quiet_since = time.monotonic()
    while time.monotonic() < until:
        wasyncore.loop(timeout=_DRAIN_POLL_SECONDS, use_poll=True, map=sockets, count=1)
        busy = any(channel.requests or channel.total_outbufs_len for channel in server.active_channels.values())
        if busy or _pending(sockets):
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= QUIET_SECONDS:
            return True
    return False
