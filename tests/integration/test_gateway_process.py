"""What only a real socket and a real process show: early refusals, clients that vanish, kills and stops."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from atoll.errors import StartRefused
from gateway.server import listen

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
TYPE = "multipart/form-data; boundary=b"
PATH = "/v1/kbs/main/documents"


class Gateway:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.gateway_process", str(folder)], stdout=subprocess.PIPE, text=True
        )
        started = json.loads(self.process.stdout.readline())
        self.port, self.key = started["port"], started["key"]

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {self.key}"}, timeout=20
        )

    def incoming(self) -> list[Path]:
        return list((self.folder / "blobs" / ".incoming").iterdir())

    def originals(self) -> list[Path]:
        return list((self.folder / "blobs").rglob("original"))

    def begin_upload(self) -> socket.socket:
        """Send half of an upload and leave it there."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: {TYPE}\r\nContent-Length: 3000000\r\n\r\n".encode()
            + HEAD
            + b"x" * 1_000_000
        )
        wait_for(lambda: any(path.stat().st_size for path in self.originals()))
        return connection


@contextmanager
def running(folder: Path) -> Iterator[Gateway]:
    gateway = Gateway(folder)
    try:
        with gateway.client() as client:
            wait_for(lambda: answers(client))
        yield gateway
    finally:
        gateway.process.kill()
        gateway.process.wait(10)
        gateway.process.stdout.close()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").status_code == 200
    except httpx.TransportError:
        return False


def wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with running(tmp_path / "house") as started:
        yield started


@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "in chunks"])
def test_a_client_that_sends_too_much_still_reads_why(gateway: Gateway, announced: bool) -> None:
    body = HEAD + b"x" * (24 * 2**20) + b"\r\n--b--\r\n"
    pieces = (body[start : start + 2**16] for start in range(0, len(body), 2**16))
    with gateway.client() as client:
        answer = client.post(PATH, content=body if announced else pieces, headers={"Content-Type": TYPE})
    assert answer.status_code == 413
    assert "MiB" in answer.json()["detail"]
    assert gateway.incoming() == []


def test_a_refused_key_is_told_before_the_body_is_read(gateway: Gateway) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}", timeout=20) as client:
        answer = client.post(PATH, content=b"x" * (16 * 2**20), headers={"Content-Type": TYPE})
    assert answer.status_code == 401


def test_a_client_that_vanishes_leaves_nothing(gateway: Gateway) -> None:
    gateway.begin_upload().close()
    wait_for(lambda: gateway.incoming() == [])
    assert gateway.originals() == []


def test_a_killed_gateway_leaves_nothing_once_it_is_back(gateway: Gateway) -> None:
    with gateway.begin_upload():
        gateway.process.kill()
        gateway.process.wait(10)
    left = gateway.incoming()
    assert left
    for folder in left:
        os.utime(folder, (1, 1))
    with running(gateway.folder) as again:
        wait_for(lambda: again.incoming() == [])
        assert again.originals() == []


def test_sigterm_ends_streams_and_lets_answers_end(gateway: Gateway) -> None:
    with gateway.client() as client, client.stream("GET", "/v1/kbs/main/events") as stream:
        frames = stream.iter_raw()
        assert b"heartbeat" in next(frames)
        with gateway.begin_upload() as connection:
            gateway.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            assert not any(b"error" in frame for frame in frames), "the stream ends as a stream ends"
            connection.sendall(b"x" * 100 + b"\r\n--b--\r\n" + b" " * (3_000_000 - 1_000_000 - len(HEAD) - 109))
            assert connection.recv(200).startswith(b"HTTP/1.1 202")
    assert gateway.process.wait(15) == 0
    assert time.monotonic() - began < 10
    assert len(gateway.originals()) == 1


def problem_of(connection: socket.socket) -> tuple[int, dict[str, object]]:
    """Read one answer to the end of the connection."""
    connection.settimeout(20)
    received = b""
    while piece := connection.recv(65536):
        received += piece
    head, _, body = received.rpartition(b"\r\n\r\n")
    head = head[head.rindex(b"HTTP/1.1") :]
    assert b"application/problem+json" in head, received
    return int(head.split()[1]), json.loads(body)


def test_heads_are_bounded_in_time_and_slow_bodies_are_not(gateway: Gateway) -> None:
    """All at once, because each takes ten seconds."""
    whole = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    body = HEAD + b"x" * 24 + b"\r\n--b--\r\n"
    upload = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {gateway.key}\r\n"
        f"Content-Type: {TYPE}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    starts = {
        "nothing": b"",
        "half a line": b"GET /health",
        "dripping": whole[:-2],
        "second": whole + b"GET /health/li",
    }
    with ExitStack() as opened:
        connections = {
            name: opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            for name in (*starts, "slow body")
        }
        began = time.monotonic()
        for name, start in starts.items():
            connections[name].sendall(start)
        assert connections["second"].recv(15) == b"HTTP/1.1 200 OK"
        connections["second"].sendall(b"ve")  # the head of a second request has begun
        connections["slow body"].sendall(upload)
        for number in range(8):  # what drips in does not lengthen the time
            time.sleep(1)
            connections["dripping"].sendall(b"X-Slow: 1\r\n")
            connections["slow body"].sendall(body[number : number + 1])
        for name in starts:
            status, problem = problem_of(connections[name])
            assert (status, problem["type"]) == (408, "urn:atoll:problem:TooSlow"), name
        assert 9 < time.monotonic() - began < 14
        time.sleep(3)
        connections["slow body"].sendall(body[8:])
        assert connections["slow body"].recv(12) == b"HTTP/1.1 202"
    with gateway.client() as client:
        assert client.get("/health/live").status_code == 200


def test_half_open_connections_past_the_limit_make_room(gateway: Gateway) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as opened, gateway.client() as client:
        opened.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        for _ in range(4300):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            connection.sendall(b"GET /health/live HTTP/1.1\r\nHost:")
        began = time.monotonic()
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - began < 5
        with gateway.client() as another:
            assert another.get("/health/live").status_code == 200


def test_what_is_no_request_is_answered_as_a_problem(gateway: Gateway) -> None:
    for wrong in (b"what is this\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header\r\n\r\n", b"\x16\x03\x01\x02\0"):
        with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
            connection.sendall(wrong + b"\r\n" * 2)
            status, problem = problem_of(connection)
        assert (status, problem["type"]) == (400, "urn:atoll:problem:BadInput")


def test_a_taken_port_is_one_line(gateway: Gateway) -> None:
    with pytest.raises(StartRefused, match="ATOLL_GATEWAY__PORT"):
        listen("127.0.0.1", gateway.port)


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    """The event loop sets TCP_NODELAY on connections only when their listener names its protocol."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
