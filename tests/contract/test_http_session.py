"""The client between our own processes, before a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import aiohttp
import pytest

from atoll.adapters.http_session import HttpSession


class Seen:
    """What a server was asked, and over which connections."""

    def __init__(self) -> None:
        self.url = ""
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.connections: set[Any] = set()


@contextmanager
def server() -> Iterator[Seen]:
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            seen.connections.add(self.client_address)
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            seen.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.path == "/elsewhere":
                self.send_response(307)
                self.send_header("Location", f"{seen.url}/there")
            else:
                self.send_response(200)
            self.send_header("Set-Cookie", "a=b")
            self.send_header("Content-Length", "10")
            self.end_headers()
            with suppress(ConnectionError):  # who asked may have given up
                for _ in range(10):
                    self.wfile.write(b".")
                    self.wfile.flush()
                    time.sleep(0.2 if self.path == "/slowly" else 0)

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    seen.url = f"http://127.0.0.1:{made.server_address[1]}"
    try:
        yield seen
    finally:
        made.shutdown()
        made.server_close()
        thread.join(5)


@contextmanager
def closed_port() -> Iterator[str]:
    with server() as gone:
        pass
    yield gone.url


async def test_no_redirect_no_cookie_no_proxy_no_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    with closed_port() as proxy, server() as seen:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        session = HttpSession(timeout_seconds=5, headers={"Authorization": "Bearer k"})
        reply = await session.exchange("POST", f"{seen.url}/elsewhere", b"{}")
        assert (reply.status, reply.headers["location"], reply.content) == (307, f"{seen.url}/there", b"." * 10)
        await session.exchange("POST", f"{seen.url}/again", b"{}")
        await session.aclose()
    assert len(seen.headers) == 2
    for headers in seen.headers:
        assert headers["authorization"] == "Bearer k"
        assert headers["content-type"] == "application/json"
        assert headers["accept-encoding"] == "identity"
        assert "cookie" not in headers


@pytest.mark.parametrize(("kept", "connections"), [(True, 1), (False, 3)])
async def test_connections_are_used_again_where_they_may_be(kept: bool, connections: int) -> None:
    with server() as seen:
        session = HttpSession(timeout_seconds=5, kept=kept)
        for _ in range(3):
            await session.exchange("POST", seen.url, b"{}")
        await session.aclose()
    assert len(seen.connections) == connections


async def test_a_server_that_trickles_is_given_up_in_time() -> None:
    with server() as seen:
        session = HttpSession(timeout_seconds=0.5)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await session.exchange("POST", f"{seen.url}/slowly", b"{}")
        assert time.monotonic() - began < 1.5
        await session.aclose()


async def test_large_bodies_arrive_whole_and_a_session_opens_again() -> None:
    body = b"0123456789" * 300_000
    with server() as seen:
        session = HttpSession(timeout_seconds=5)
        for _ in range(2):
            assert (await session.exchange("POST", seen.url, body)).status == 200
            await session.aclose()
    assert seen.bodies == [body, body]


async def test_who_is_away_is_a_client_error() -> None:
    with closed_port() as url:
        session = HttpSession(timeout_seconds=5)
        with pytest.raises(aiohttp.ClientError):
            await session.exchange("POST", url, b"{}")
        await session.aclose()
