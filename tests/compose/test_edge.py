"""The one door: what it forwards, logs, refuses and encrypts."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.web import POLICY
from tests.compose.journey import KB
from tests.compose.running import PROJECT, ROOT, Running, docker
from tests.support.stack import ATOLL

pytestmark = pytest.mark.timeout(900)

inside_networks = pytest.mark.skipif(os.getuid() != 0, reason="enters the network namespace of a container")
_IMAGE = "nginxinc/nginx-unprivileged:1.29.3-alpine"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/kb/default/ask", 200),
        ("/admin", 200),
        ("/admin/keys", 200),
        ("/link", 200),
        ("/health/live", 200),
        ("/openapi.json", 200),
        ("/docs", None),
        ("/mcp", 405),  # nothing is sent there that nobody asked for
        ("/health/ready", 404),
        ("/metrics", 404),
        ("/other", 404),
    ],
)
def test_the_edge_forwards_what_it_is_meant_to(owner: httpx.Client, path: str, status: int | None) -> None:
    answer = owner.get(path)
    assert answer.status_code == status if status else answer.status_code not in {502, 503}


def test_the_screen_comes_through_the_edge_under_its_own_policy(owner: httpx.Client) -> None:
    """From the image: the page and each file that it names, compressed, and to be kept for good."""
    page = owner.get("/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Content-Security-Policy"] == POLICY
    named = re.findall(r'"/(assets/[^"]+)"', page.text)
    assert {name.rpartition(".")[2] for name in named} >= {"js", "css"}
    for name in named:
        answer = owner.get(f"/{name}", headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip"), name
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_the_edge_logs_no_question(stack: Running, owner: httpx.Client) -> None:
    owner.get(f"{KB}/documents", params={"name": "verysecretname"})
    time.sleep(1)
    logs = stack.compose("logs", "--no-color", "edge")
    assert f"{KB}/documents" in logs
    assert "verysecretname" not in logs


def test_the_edge_speaks_the_apis_language_about_too_much(stack: Running) -> None:
    """Answered from the announced length, before a byte of the body came."""
    request = f"POST {KB}/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as raw:
        raw.sendall(request.encode())
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, body["status"]) == (413, 413)
    assert answer.headers["Content-Type"].startswith("application/problem+json")


@inside_networks
def test_the_edge_limits_whoever_guesses_keys(stack: Running) -> None:
    """Per address and before a key is looked at: an edge that lets two requests a second through, and bursts of eight."""
    del stack  # its network and gateways
    with _another_edge("-e", "ATOLL_EDGE__REQUESTS_PER_SECOND=2") as edge:
        first, *answers = _asked(edge, _GUESSES).splitlines()
    assert first == "401"
    counts = Counter(answers)
    assert set(counts) == {"401", "429 1 application/problem+json"}, counts
    assert counts["401"] < 30 < counts.total(), counts


def test_publishing_beyond_loopback_without_tls_is_refused(stack: Running) -> None:
    del stack  # its image

    def edge(**environment: str) -> subprocess.CompletedProcess[str]:
        named = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        mounts = [
            word
            for file in ("nginx.conf", "edge.sh")
            for word in ("-v", f"{ROOT}/services/edge/{file}:/etc/atoll/{file}:ro")
        ]
        command = [
            "docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp:mode=1777", *named, *mounts,
            "--entrypoint", "timeout", _IMAGE, "3", "/bin/sh", "/etc/atoll/edge.sh",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    refused = edge(ATOLL_EDGE__BIND="0.0.0.0")
    assert refused.returncode == 1
    assert "ATOLL_EDGE__ACCEPT_PLAINTEXT" in refused.stderr
    assert edge(ATOLL_EDGE__BIND="0.0.0.0", ATOLL_EDGE__ACCEPT_PLAINTEXT="1").returncode in {124, 143}
    assert edge(ATOLL_EDGE__BIND="127.0.0.1").returncode in {124, 143}


@inside_networks
def test_the_edge_speaks_tls_with_the_sites_own_certificate(stack: Running, tmp_path: Path) -> None:
    del stack
    command = [ATOLL, "init", "--compose", "--tls", "atoll.example.test"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    with _another_edge("-e", "ATOLL_EDGE__BIND=0.0.0.0", "-v", f"{tmp_path}/secrets/tls:/etc/atoll/tls:ro") as edge:
        assert _asked(edge, _TLS, str(tmp_path / "secrets/site-ca.crt")).split() == ["TLSv1.3", "200"]


@contextmanager
def _another_edge(*options: str) -> Iterator[str]:
    """Start an edge before the stack's gateways, beside its own."""
    name, services = f"{PROJECT}-another-edge", ROOT / "services" / "edge"
    docker("rm", "-f", name, check=False)
    docker(
        "run", "-d", "--name", name, "--network", f"{PROJECT}_front", "--read-only", "--tmpfs", "/tmp:mode=1777",
        "--user", "101:101", "--cap-drop", "ALL", *options,
        "-v", f"{services}/nginx.conf:/etc/atoll/nginx.conf:ro", "-v", f"{services}/edge.sh:/etc/atoll/edge.sh:ro",
        "--entrypoint", "/bin/sh", _IMAGE, "/etc/atoll/edge.sh",
    )  # fmt: skip
    try:
        yield name
    finally:
        docker("rm", "-f", name)


def _asked(edge: str, program: str, *arguments: str) -> str:
    """Run a client beside an edge, in its network, and return what it printed."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", edge).strip()
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", _CONNECT + program, *arguments],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (done.stderr, docker("logs", edge, both=True))
    return done.stdout


_CONNECT = r"""
import http.client, socket, ssl, sys, time
for _ in range(40):
    try:
        plain = socket.create_connection(("127.0.0.1", 8080), timeout=5)
        break
    except OSError:
        time.sleep(0.25)
"""
#: Asks as a client who trusts the site's authority and nobody else, by the name in the certificate.
_TLS = r"""
trust = ssl.create_default_context(cafile=sys.argv[1])
with trust.wrap_socket(plain, server_hostname="atoll.example.test") as secured:
    secured.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    print(secured.version(), secured.recv(4096).split()[1].decode())
"""
#: Shows one wrong key after the other, as fast as answers come.
_GUESSES = r"""
plain.close()
asking = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
for number in range(60):
    asking.request("GET", "/v1/kbs", headers={"Host": "localhost", "Authorization": f"Bearer atoll_{number}_wrong"})
    answer = asking.getresponse()
    answer.read()
    limited = answer.status == 429
    print(answer.status, *([answer.headers["Retry-After"], answer.headers["Content-Type"]] if limited else []))
"""
