"""Nothing gets out, shown against a control that does; and who reaches whom is what docs/security.md says.

A network namespace of this machine stands for the outside: it holds a web server and a DNS server, and no packet of
the tests leaves the machine. The probes run inside each container's own network namespace with this machine's Python,
so that a container without tools is looked at as closely as one with them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from scripts import check_compose

from tests.compose.journey import make
from tests.compose.running import PROJECT, Running, docker
from tests.support.stack import ATOLL, require

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.getuid() != 0, reason="enters network namespaces of containers"),
]

_HOST, _CANARY, _NAME = "198.18.73.1", "198.18.73.2", "canary.example.test"
_CONTROL = f"{PROJECT}-control"
_PORTS = {
    "chat": 8080, "edge": 8080, "gateway": 8000, "embeddings": 8081, "colpali": 8082, "qdrant": 6333, "neo4j": 7687, "redis": 6379,
}  # fmt: skip

#: Connects to each [address, port] and asks a DNS server for a name; prints what came of it as JSON.
_PROBE = r"""
import json, socket, sys
targets, dns, name = json.loads(sys.argv[1])
found = {}
for label, address, port in targets:
    try:
        socket.create_connection((address, port), timeout=1.5).close()
        found[label] = "reached"
    except OSError as error:
        found[label] = type(error).__name__
query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
query += b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\x00\x00\x01\x00\x01"
for label, server in dns:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1.5)
        try:
            asking.sendto(query, (server, 53))
            reply = asking.recv(512)
            found[label] = "reached" if reply[6:8] != b"\x00\x00" else "no such name"
        except OSError as error:
            found[label] = type(error).__name__
print(json.dumps(found))
"""

#: A web server and a DNS server that knows one name, in one process.
_SERVERS = r"""
import http.server, socket, sys, threading
address = sys.argv[1]
web = http.server.ThreadingHTTPServer((address, 80), http.server.BaseHTTPRequestHandler)
threading.Thread(target=web.serve_forever, daemon=True).start()
names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
names.bind((address, 53))
print("ready", flush=True)
while True:
    query, asker = names.recvfrom(512)
    answer = query[:2] + b"\x81\x80" + query[4:6] + b"\x00\x01\x00\x00\x00\x00" + query[12:]
    answer += b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton(address)
    names.sendto(answer, asker)
"""


@dataclass(frozen=True)
class Outside:
    """Where the outside and a listener of the host answer."""

    host_port: int


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    ip = require("ip")
    space, inner, outer = "atoll-outside", "atoll-out1", "atoll-out0"
    run = subprocess.run
    run([ip, "netns", "delete", space], capture_output=True, check=False)
    for words in (
        ["netns", "add", space],
        ["link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space],
        ["address", "add", f"{_HOST}/30", "dev", outer],
        ["link", "set", outer, "up"],
        ["-n", space, "address", "add", f"{_CANARY}/30", "dev", inner],
        ["-n", space, "link", "set", inner, "up"],
    ):
        run([ip, *words], check=True)
    servers = subprocess.Popen(
        ["nsenter", f"--net=/run/netns/{space}", sys.executable, "-c", _SERVERS, _CANARY],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    listener = socket.create_server(("0.0.0.0", 0))
    accepting = threading.Thread(target=_accept, args=(listener,), daemon=True)
    accepting.start()
    try:
        assert servers.stdout is not None
        with servers.stdout as said:
            assert said.readline() == b"ready\n"
        yield Outside(listener.getsockname()[1])
    finally:
        listener.close()
        servers.kill()
        servers.wait()
        run([ip, "netns", "delete", space], check=False)


def _accept(listener: socket.socket) -> None:
    while True:
        try:
            listener.accept()[0].close()
        except OSError:
            return


@pytest.fixture(scope="module")
def control(stack: Running, outside: Outside) -> Iterator[str]:
    """A container on an ordinary network, as every container is that nobody thought about."""
    docker("rm", "-f", _CONTROL, check=False)
    docker("run", "-d", "--name", _CONTROL, "--network", "bridge", "atoll/gateway:0.1.0", "sleep", "3600")
    yield _CONTROL
    docker("rm", "-f", _CONTROL)


def test_nothing_gets_out_and_the_control_does(
    stack: Running, owner: httpx.Client, outside: Outside, control: str
) -> None:
    """While documents are read and questions answered: no work that a container does opens a way."""
    probes = _outside_targets(outside)
    free = _probe(control, *probes)
    assert set(free.values()) == {"reached"}, f"the control proves nothing: {free}"
    table = {"control": free}
    assert owner.post("/v1/kbs", json={"name": "sealed", "language": "en"}).status_code in {200, 201}
    with ThreadPoolExecutor(1) as meanwhile:
        answer = meanwhile.submit(make, owner, "/v1/kbs/sealed")
        for name, container in stack.inspect().items():
            table[name] = _probe(container["Id"], *probes)
        print(f"\n{_drawn(table)}\nanswered meanwhile: {answer.result(300)}")
    for name, found in table.items():
        if name.startswith("edge"):  # shares a network with the host, as docs/security.md says; no way further
            assert "reached" not in {found["web server"], found["name server"]}
        elif name != "control":
            assert "reached" not in found.values(), (name, found)


def test_the_operators_own_look_finds_it_sealed_and_a_hole_where_there_is_one(stack: Running, outside: Outside) -> None:
    del outside

    def look() -> dict[str, Any]:
        command = [ATOLL, "doctor", "egress", "--project", PROJECT, "--target", f"{_CANARY}:80", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        body: dict[str, Any] = json.loads(done.stdout)
        assert done.returncode == (0 if body["sealed"] else 1), done.stderr
        return body

    assert look()["leaks"] == []
    (redis,) = stack.containers("redis")
    docker("network", "connect", "bridge", redis)
    try:
        assert look()["leaks"] == ["redis-1"]
    finally:
        docker("network", "disconnect", "bridge", redis)


def test_names_of_the_outside_are_not_passed_on(stack: Running, outside: Outside) -> None:
    for name, container in stack.inspect().items():
        found = _probe(container["Id"], [], [["engine's resolver", "127.0.0.11"]])
        assert found["engine's resolver"] != "reached", name


def test_who_reaches_whom_is_what_the_documents_say(stack: Running) -> None:
    networks = check_compose.networks_of_the_documents()
    containers = stack.inspect()
    targets = [
        [f"{name}@{where}", on["IPAddress"], _PORTS[_service(name)]]
        for name, container in containers.items()
        if _service(name) in _PORTS
        for where, on in container["NetworkSettings"]["Networks"].items()
    ]
    table = {}
    for name, container in containers.items():
        found = _probe(container["Id"], targets, [])
        reached = {_service(label.split("@")[0]) for label, outcome in found.items() if outcome == "reached"}
        mine = set(networks[_service(name)]) - {"none"}
        allowed = {
            other for other in _PORTS if mine & set(networks[other]) and other in {_service(n) for n in containers}
        }
        table[name] = {other: "reached" if other in reached else "-" for other in _PORTS}
        assert reached == allowed, (name, reached ^ allowed)
    print("\n" + _drawn(table))


def test_only_the_edge_is_published_and_on_loopback(stack: Running) -> None:
    for name, container in stack.inspect().items():
        published = {
            (each["HostIp"], each["HostPort"])
            for bindings in container["NetworkSettings"]["Ports"].values()
            for each in bindings or ()
        }
        assert published == ({("127.0.0.1", str(stack.port))} if _service(name) == "edge" else set()), name


def _outside_targets(outside: Outside) -> tuple[list[list[Any]], list[list[str]]]:
    bridge = json.loads(docker("network", "inspect", "bridge"))[0]["IPAM"]["Config"][0]["Gateway"]
    targets = [
        ["web server", _CANARY, 80],
        ["host by the outside's side", _HOST, outside.host_port],
        ["host by the engine's bridge", bridge, outside.host_port],
    ]
    return targets, [["name server", _CANARY]]


def _probe(container: str, targets: list[list[Any]], servers: list[list[str]]) -> dict[str, str]:
    pid = docker("inspect", "-f", "{{.State.Pid}}", container).strip()
    done = subprocess.run(
        ["nsenter", f"--net=/proc/{pid}/ns/net", sys.executable, "-c", _PROBE, json.dumps([targets, servers, _NAME])],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found


def _service(container: str) -> str:
    return container.rpartition("-")[0]


def _drawn(table: dict[str, dict[str, str]]) -> str:
    columns = list(next(iter(table.values())))
    rows = [["", *columns], *([name, *(found[column] for column in columns)] for name, found in table.items())]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns) + 1)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def test_the_matrix_would_see_a_hole(stack: Running) -> None:
    """A container put on a network where it does not belong is found: the probe itself is put to the test."""
    stranger = f"{PROJECT}-stranger"
    docker("rm", "-f", stranger, check=False)
    docker("run", "-d", "--name", stranger, "--network", f"{PROJECT}_data", "atoll/gateway:0.1.0", "sleep", "600")
    try:
        time.sleep(0.5)
        redis = next(one for name, one in stack.inspect().items() if _service(name) == "redis")
        address = redis["NetworkSettings"]["Networks"][f"{PROJECT}_data"]["IPAddress"]
        assert _probe(stranger, [["redis", address, 6379]], []) == {"redis": "reached"}
    finally:
        docker("rm", "-f", stranger)
