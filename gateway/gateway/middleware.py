"""What happens around every request, one class a concern, outermost first in `app.create_app`."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atoll.errors import AtollError, BadInput, DocumentTooLarge
from gateway.errors import error_response, problem_response, refusal_problem, unexpected_problem
from gateway.metrics import Metrics

_log = logging.getLogger("gateway.access")

_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: Largest JSON body; uploads set their own limit with `set_body_limit`.
MAX_BODY_BYTES = 2**20
_BODY_LIMIT = "atoll.body_limit_bytes"
#: A client that sends nothing for so long is given up.
_BODY_IDLE_SECONDS = 30.0
#: A client that is still sending when its answer is known gets so much time and room to notice.
_DRAIN_SECONDS = 5.0
_DRAIN_BYTES = 64 * 2**20

_MAX_REFUSAL_BYTES = 1024

_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class RequestContext:
    """Gives each request an id, logs and counts it, and answers what nobody expected with a bare 500."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _SANE_REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception:  # the outermost boundary of the process
            _log.exception("unexpected", extra={"request_id": request_id, "route": _route(scope)})
            if status:
                raise  # half an answer is out: only breaking the connection tells the client
            await problem_response(unexpected_problem(request_id))(scope, receive, send_with_id)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.request(scope["method"], route, status, seconds)
        _log.info(
            "request",
            extra={
                "request_id": scope["state"]["request_id"],
                "method": scope["method"],
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 1),
                "subject": scope["state"].get("subject", "-"),
            },
        )


class ProblemsOnly:
    """Turns refusals that a library wrote as plain text (of a range that no file has, say) into problem documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refusal: Message | None = None
        text = bytearray()

        async def send_problem(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                refusal = message
            elif refusal is None:
                await send(message)
            else:
                text.extend(message.get("body", b"")[: _MAX_REFUSAL_BYTES - len(text)])
                if not message.get("more_body"):
                    await _problem_of(refusal, text.decode("utf-8", "replace"), scope)(scope, receive, send)

        await self._app(scope, receive, send_problem)


class HeadAsGet:
    """Answers HEAD where there is GET: the same headers, no body. Of a stream the headers end the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            elif not answered.is_set():
                await send({"type": "http.response.body", "body": b""})
                answered.set()

        work = asyncio.ensure_future(self._app({**scope, "method": "GET"}, receive, send_headers))
        headed = asyncio.ensure_future(answered.wait())
        try:
            await asyncio.wait({work, headed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            headed.cancel()
            if answered.is_set() or not work.done():
                work.cancel()
        with suppress(asyncio.CancelledError):
            await work


class AllowedHosts:
    """Answers only to the names it is known by, so that a foreign page cannot reach it by rebinding a name."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.strip().lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and "*" not in self._hosts:
            host = re.sub(r":\d+$", "", Headers(scope=scope).get("host", "")).lower()
            if host not in self._hosts:
                error = BadInput("this host name is not served; add it to ATOLL_GATEWAY__ALLOWED_HOSTS")
                await error_response(error, scope["state"]["request_id"])(scope, receive, send)
                return
        await self._app(scope, receive, send)


class BoundedBody:
    """Counts the body while it is read, gives up on a stalled client, and lets a refused one finish sending.

    Without the last, a server that answers early and closes takes its answer away from a client that still writes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(scope, receive)

        async def send_and_drain(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body") and body.is_unread:
                await send({**message, "more_body": True})
                await body.drain()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, body.receive, send_and_drain)


class _Body:
    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._scope = scope
        self._receive = receive
        self._read = 0
        self._announced = int(length) if (length := headers.get("content-length", "")).isdecimal() else 0
        self._ended = not self._announced and "transfer-encoding" not in headers
        self._asked_first = headers.get("expect", "").lower() == "100-continue"

    @property
    def is_unread(self) -> bool:
        """Whether the client may be sending still."""
        return not self._ended and not (self._asked_first and self._read == 0)

    async def receive(self) -> Message:
        """Receive a message. Raises DocumentTooLarge past the limit, BadInput for a client that stalls."""
        if self._ended:
            return await self._receive()
        limit = self._scope.get(_BODY_LIMIT, MAX_BODY_BYTES)
        if self._announced > limit:
            raise _too_large(limit)
        try:
            async with asyncio.timeout(_BODY_IDLE_SECONDS):
                message = await self._receive()
        except TimeoutError as error:
            self._ended = True
            raise BadInput(f"nothing came for {_BODY_IDLE_SECONDS:.0f} s; send the body without a break") from error
        self._note(message)
        if self._read > limit:
            raise _too_large(limit)
        return message

    async def drain(self) -> None:
        """Read and forget what still comes, within bounds."""
        room = self._read + _DRAIN_BYTES
        try:
            async with asyncio.timeout(_DRAIN_SECONDS):
                while not self._ended and self._read < room:
                    self._note(await self._receive())
        except TimeoutError:
            self._ended = True

    def _note(self, message: Message) -> None:
        self._read += len(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body"):
            self._ended = True


def set_body_limit(scope: Scope, limit_bytes: int) -> None:
    """Let a route read more than `MAX_BODY_BYTES`; to be called before it reads."""
    scope[_BODY_LIMIT] = limit_bytes


def _is_plain_refusal(start: Message) -> bool:
    is_text = Headers(raw=start["headers"]).get("content-type", "").startswith("text/plain")
    return is_text and start["status"] >= HTTPStatus.BAD_REQUEST


def _problem_of(refusal: Message, text: str, scope: Scope) -> Response:
    """Return the problem document in place of a plain refusal, with its headers but those of its body."""
    headers = Headers(raw=refusal["headers"])
    kept = {name: value for name, value in headers.items() if name not in {"content-type", "content-length"}}
    detail = text or f"{HTTPStatus(refusal['status']).description or HTTPStatus(refusal['status']).phrase}"
    return problem_response(refusal_problem(refusal["status"], detail, scope["state"]["request_id"]), kept)


def _too_large(limit: int) -> AtollError:
    shown = f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit} bytes"
    return DocumentTooLarge(f"the body is larger than the {shown} allowed here, the form around files included")


def _route(scope: Scope) -> str:
    route = scope.get("route")
    # A path that no route matches is not named: it is whatever a client wrote.
    return getattr(route, "path", "") or f"({HTTPStatus.NOT_FOUND.value})"
