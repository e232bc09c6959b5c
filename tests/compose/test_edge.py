"""The one door: what it forwards, logs, refuses and encrypts."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.compose.journey import KB
from tests.compose.running import PROJECT, ROOT, Running, docker
from tests.support.stack import ATOLL

pytestmark = pytest.mark.timeout(900)

_IMAGE = "nginxinc/nginx-unprivileged:1.29.3-alpine"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", None),
        ("/health/live", 200),
        ("/openapi.json", 200),
        ("/docs", None),
        ("/health/ready", 404),
        ("/metrics", 404),
        ("/other", 404),
    ],
)
def test_the_edge_forwards_what_it_is_meant_to(owner: httpx.Client, path: str, status: int | None) -> None:
    answer = owner.get(path)
    assert answer.status_code == status if status else answer.status_code not in {502, 503}


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


def test_the_edge_limits_whoever_guesses_keys(stack: Running, owner: httpx.Client) -> None:
    """Per address and before a key is looked at; a moment later the same address is served again."""

    def guess(number: int) -> list[httpx.Response]:
        wrong = {"Authorization": f"Bearer atoll_{number}_wrong"}
        with httpx.Client(base_url=stack.address, headers=wrong, trust_env=False, timeout=30) as client:
            return [client.get("/v1/kbs") for _ in range(80)]

    with ThreadPoolExecutor(8) as guessers:
        answers = [answer for each in guessers.map(guess, range(8)) for answer in each]
    counts = Counter(answer.status_code for answer in answers)
    assert set(counts) == {401, 429}, counts
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    time.sleep(5)  # its burst has drained
    assert owner.get("/v1/kbs").status_code == 200


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


@pytest.mark.skipif(os.getuid() != 0, reason="enters the network namespace of a container")
def test_the_edge_speaks_tls_with_the_sites_own_certificate(stack: Running, tmp_path: Path) -> None:
    command = [ATOLL, "init", "--compose", "--tls", "atoll.example.test"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    edge = f"{PROJECT}-tls"
    docker("rm", "-f", edge, check=False)
    services = ROOT / "services" / "edge"
    docker(
        "run", "-d", "--name", edge, "--network", f"{PROJECT}_front", "--read-only", "--tmpfs", "/tmp:mode=1777",
        "--user", "101:101", "--cap-drop", "ALL", "-e", "ATOLL_EDGE__BIND=0.0.0.0",
        "-v", f"{services}/nginx.conf:/etc/atoll/nginx.conf:ro", "-v", f"{services}/edge.sh:/etc/atoll/edge.sh:ro",
        "-v", f"{tmp_path}/secrets/tls:/etc/atoll/tls:ro",
        "--entrypoint", "/bin/sh", _IMAGE, "/etc/atoll/edge.sh",
    )  # fmt: skip
    try:
        pid = docker("inspect", "-f", "{{.State.Pid}}", edge).strip()
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", _TLS, str(tmp_path / "secrets/site-ca.crt")],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (done.stderr, docker("logs", edge))
        assert done.stdout.split() == ["TLSv1.3", "200"]
    finally:
        docker("rm", "-f", edge)


#: Asks as a client who trusts the site's authority and nobody else, by the name in the certificate.
_TLS = r"""
import socket, ssl, sys, time
trust = ssl.create_default_context(cafile=sys.argv[1])
for _ in range(40):
    try:
        plain = socket.create_connection(("127.0.0.1", 8080), timeout=5)
        break
    except OSError:
        time.sleep(0.25)
with trust.wrap_socket(plain, server_hostname="atoll.example.test") as secured:
    secured.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    print(secured.version(), secured.recv(4096).split()[1].decode())
"""
