"""What only a real socket and a real process show: early refusals, clients that vanish, kills and stops."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_a_taken_port_is_one_line(gateway: Gateway) -> None:
    with pytest.raises(StartRefused, match="ATOLL_GATEWAY__PORT"):
        listen("127.0.0.1", gateway.port)


def test_answers_do_not_wait_for_an_acknowledgement() -> None:
    """The event loop sets TCP_NODELAY on connections only when their listener names its protocol."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
