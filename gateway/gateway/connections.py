"""Connections: how many there may be, and how long one may take to send the head of a request."""

from __future__ import annotations

import asyncio
import resource
import secrets
from http import HTTPStatus
from typing import ClassVar

import h11
import orjson
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from gateway.errors import problem_response, refusal_problem

#: A client that has not sent a request's line and headers by then is given up. Bodies have a bound of their own.
HEAD_SECONDS = 10.0
MAX_CONNECTIONS = 4096
#: Descriptors for everything else: files, stores, other servers.
_OTHER_DESCRIPTORS = 512


def room() -> int:
    """Let this process open as many connections as there may be; return how many that are on this machine."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + _OTHER_DESCRIPTORS
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(1, min(MAX_CONNECTIONS, soft - _OTHER_DESCRIPTORS))


class BoundedConnection(H11Protocol):
    """One connection of this process.

    When there are too many, the one that has kept us waiting longest for the head of a request makes room for the
    new one; requests that are being answered never do.
    """

    #: How many connections there may be.
    most: ClassVar[int] = MAX_CONNECTIONS
    #: Connections whose request is not whole yet, the oldest first, each with the time at which it is given up.
    _waiting: ClassVar[dict[BoundedConnection, asyncio.TimerHandle]] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        super().connection_made(transport)
        if len(self.connections) > self.most and not self._make_room():
            self.app = _refuse
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes; more of them do not lengthen the time for a request's head."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._expect_nothing()
        elif not self.transport.is_closing():
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._expect_nothing()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request."""
        self._answer(HTTPStatus.BAD_REQUEST, f"this is no HTTP/1.1 request that can be read: {msg}")

    def _expect_head(self) -> None:
        if self not in self._waiting:
            self._waiting[self] = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _expect_nothing(self) -> None:
        if timer := self._waiting.pop(self, None):
            timer.cancel()

    def _give_up(self) -> None:
        self._waiting.pop(self, None)
        if not self.transport.is_closing():
            seconds = f"{HEAD_SECONDS:.0f} s"
            self._answer(HTTPStatus.REQUEST_TIMEOUT, f"the request's headers did not end within {seconds}")

    def _make_room(self) -> bool:
        """Drop the connection that has kept us waiting longest; return whether there was one."""
        oldest = next(iter(self._waiting), None)
        if oldest is None:
            return False
        oldest._expect_nothing()  # noqa: SLF001 - another one of this class
        oldest.transport.abort()
        return True

    def _answer(self, status: HTTPStatus, detail: str) -> None:
        body = orjson.dumps(refusal_problem(status, detail, secrets.token_hex(8)))
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=status.phrase.encode()),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request on one connection too many."""
    detail = f"more than {BoundedConnection.most} connections are open; try again soon"
    body = refusal_problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, secrets.token_hex(8))
    await problem_response(body, {"Retry-After": "1", "Connection": "close"})(scope, receive, send)
