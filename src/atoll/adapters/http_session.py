"""HTTP from one process of an installation to another, by aiohttp.

A search makes three such calls. httpx spends 1.3 ms of processor time on one, aiohttp, which parses in C, 0.4.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

#: What an exchange fails with: the server is away or breaks off (the first), or does not answer in time.
FAULTS = (aiohttp.ClientError, TimeoutError)

_CONNECT_SECONDS = 5.0
#: Kept connections are dropped before uvicorn's five seconds are over, so that none is used while it closes.
_KEPT_SECONDS = 3.0
#: aiohttp writes larger bodies in pieces if they can be read in pieces.
_WRITTEN_AT_ONCE = 1 << 20


def hung_up(error: BaseException) -> bool:
    """Whether a server closed a connection before it answered: it may have done so before a kept one was used again."""
    broken = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
    return broken and not isinstance(error, aiohttp.ClientConnectorError)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; names of ``headers`` are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class HttpSession:
    """Connections that stay open until ``aclose``. Bound to the event loop that first uses it.

    Follows no redirect, keeps no cookie and heeds no proxy of the environment: none stands between two processes of
    one installation.

    Args:
        headers: sent with every request.
        timeout_seconds: bounds a whole exchange.
        kept: whether connections are used again.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 100,
        kept: bool = True,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._headers = {"Accept-Encoding": "identity", **(headers or {})}
        self._max_connections = max_connections
        self._kept = kept
        self._session: aiohttp.ClientSession | None = None
        #: How many connections were made so far.
        self.connections = 0

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def exchange(self, method: str, url: str, content: bytes | None = None) -> Reply:
        """Send a request, whose body is JSON if it has one, and return the whole answer, whatever its status.

        Raises:
            aiohttp.ClientError, TimeoutError: there is none, see ``FAULTS``.
        """
        async with await self.opened(method, url, content) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return Reply(reply.status, headers, await reply.read())

    async def opened(self, method: str, url: str, content: bytes | None = None) -> aiohttp.ClientResponse:
        """Send a request and return the answer when its head is there; it must be closed.

        Raises:
            aiohttp.ClientError, TimeoutError: there is none, see ``FAULTS``.
        """
        if self._session is None or self._session.closed:
            self._session = self._made()
        large = content is not None and len(content) > _WRITTEN_AT_ONCE
        return await self._session.request(
            method,
            url,
            data=io.BytesIO(content) if content is not None and large else content,
            headers={"Content-Type": "application/json"} if content is not None else None,
            allow_redirects=False,
        )

    def _made(self) -> aiohttp.ClientSession:
        connect_seconds = min(_CONNECT_SECONDS, self._timeout_seconds)
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._connected)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._max_connections,
                use_dns_cache=False,  # a container that was made again has another address
                **({"keepalive_timeout": _KEPT_SECONDS} if self._kept else {"force_close": True}),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds, sock_connect=connect_seconds),
            trace_configs=[trace],
        )

    async def _connected(self, *_: object) -> None:
        self.connections += 1
