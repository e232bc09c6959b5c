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
import sys
from atoll.serving.drain import Lifecycle
from atoll.serving.http import create_app
from atoll.serving.metrics import Metrics
from atoll.serving.server import serve
lifecycle = Lifecycle()
app = create_app("x", lifecycle=lifecycle, metrics=Metrics(), info=dict, allowed_hosts={"localhost"}, token=None,
                 max_body_bytes=1000)
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
