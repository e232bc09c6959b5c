"""A model server that leaves answers whoever reached it before, however little processor time it got."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

SERVER = """
import sys, time
from atoll.serving.drain import Lifecycle
from atoll.serving.http import client_gone, create_app
from atoll.serving.metrics import Metrics
from atoll.serving.server import serve
lifecycle = Lifecycle()
app = create_app("x", lifecycle=lifecycle, metrics=Metrics(), info=dict, allowed_hosts={"localhost"}, token=None,
                 max_body_bytes=1000)

@app.get("/slow")
def slow():
    gone = client_gone()
    time.sleep(0.5)
    print(gone(), flush=True)
    return "told"

lifecycle.loaded()
sys.exit(0 if serve(app, host="127.0.0.1", port=int(sys.argv[1]), lifecycle=lifecycle, max_body_bytes=1000) else 1)
"""


def connected(port: int) -> socket.socket:
    until = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            assert time.monotonic() < until
            time.sleep(0.05)


def ask(caller: socket.socket) -> None:
    caller.sendall(b"GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_a_request_that_came_while_a_draining_server_was_not_scheduled_is_answered():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)])
    try:
        with connected(port) as first:
            ask(first)
            assert b" 200 " in first.recv(4096)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.05)  # draining has begun and is not over: a fifth of a second must be quiet
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            with connected(port) as late:
                ask(late)
                time.sleep(0.5)
                process.send_signal(signal.SIGCONT)
                assert b" 503 " in late.recv(4096)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait(10)


def test_who_closes_the_sending_half_is_answered_and_who_has_gone_is_noticed():
    """Every answer to a client that closed its half after the request was lost."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for version in ("1.1", "1.0"):
            with connected(port) as half:
                half.sendall(f"GET /slow HTTP/{version}\r\nHost: localhost\r\n\r\n".encode())
                half.shutdown(socket.SHUT_WR)
                answer = b""
                while piece := half.recv(4096):
                    answer += piece
            assert answer.endswith(b"told"), (version, answer)
            assert process.stdout.readline() == "False\n"
        gone = connected(port)
        gone.sendall(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.1)
        gone.close()
        assert process.stdout.readline() == "True\n"
        with connected(port) as after:
            ask(after)
            assert b" 200 " in after.recv(4096)
    finally:
        process.kill()
        process.communicate()
