"""What stands before every route: Host header, key, and how much may be under way at once."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from starlette.requests import Request

from atoll.local.vectors.rejections import NoKey, Overloaded, TooLarge, TooSlow, WrongHost

#: Routes that tell nothing about the contents and so need no key, as in Qdrant.
OPEN_PATHS = frozenset({"/", "/healthz", "/livez", "/readyz"})
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")

_BODY_SECONDS = 60.0
_KEPT_BODIES = 4  # bodies of the largest size that may be in memory at once
_READ_BODIES = 4  # past so many times the limit, a body is no longer read to its end


class Guard:
    """Refuses requests that are not meant for this server, or are more than it can take."""

    def __init__(self, api_key: str, *, allowed_hosts: Collection[str], max_body_bytes: int, max_requests: int) -> None:
        self._api_key = api_key.encode()
        self._allowed_hosts = frozenset(name.lower() for name in allowed_hosts)
        self._max_body_bytes = max_body_bytes
        self._max_requests = max_requests
        self._requests = 0
        self._pending_bytes = 0

    def check(self, request: Request) -> None:
        """Raise WrongHost or NoKey. The Host check keeps web pages in a browser from reaching a loopback port."""
        host, separator, port = request.headers.get("host", "").lower().rpartition(":")
        name = host if separator and port.isdigit() else f"{host}{separator}{port}"
        if name not in self._allowed_hosts:
            raise WrongHost("the Host header is not a name of this server; use its loopback address")
        if request.url.path not in OPEN_PATHS and not self._has_key(request):
            raise NoKey("Must provide an API key or an Authorization bearer token")

    def _has_key(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = request.headers.get("api-key") or (token if scheme.lower() == "bearer" else "")
        return hmac.compare_digest(given.encode(), self._api_key)

    @asynccontextmanager
    async def body(self, request: Request) -> AsyncIterator[bytes]:
        """Read the body and count the request as under way until the block ends.

        Raises:
            Overloaded: as many requests, or as many bytes of bodies, are under way as may be.
            TooLarge: the body is over the limit.
            TooSlow: the body does not arrive.
        """
        if request.url.path in OPEN_PATHS:  # a busy server is still alive, and says so
            yield b""
            return
        if self._requests >= self._max_requests:
            raise Overloaded(f"more than {self._max_requests} requests are under way; try again in a second")
        self._requests += 1
        chunks: list[bytes] = []
        try:
            await self._receive(request, chunks)
            yield b"".join(chunks)
        finally:
            self._requests -= 1
            self._pending_bytes -= sum(map(len, chunks))

    async def _receive(self, request: Request, chunks: list[bytes]) -> None:
        size = 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > _READ_BODIES * self._max_body_bytes:
                        break
                    if size > self._max_body_bytes:  # read on, so that the client comes to read the answer
                        continue
                    if self._pending_bytes + len(chunk) > _KEPT_BODIES * self._max_body_bytes:
                        raise Overloaded("too many large requests are under way; try again in a second")
                    self._pending_bytes += len(chunk)
                    chunks.append(chunk)
        except TimeoutError as error:
            raise TooSlow(f"the body did not arrive within {_BODY_SECONDS:.0f} s") from error
        if size > self._max_body_bytes:
            raise TooLarge(f"the body is over {self._max_body_bytes} bytes; send fewer points in a request")
