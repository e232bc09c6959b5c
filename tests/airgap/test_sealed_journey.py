"""P1: the demo's journey where there is no network, with witnesses that are shown to see an attempt."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import witness
from tests.support.namespaces import Namespaces, only_loopback, unrouted
from tests.support.stack import ROOT, Stack, require, unavailable, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

#: Reserved for documentation (RFC 5737, RFC 3849): nobody has these addresses.
OUTSIDE, OUTSIDE_6, OTHER = "192.0.2.1", "2001:db8::1", "198.51.100.7"
QUESTION = "What torque should the clutch of the Osk Head lamp changer slip at?"
MODULES = {"atoll.local", "gateway", "ingestion", "parser", "embeddings", "atoll.local.vectors", "atoll", "demo.py"}
AT_ONCE_SECONDS = 2.0

_ATTEMPTS = f"""
import json, socket, time

def attempt(act):
    started = time.monotonic()
    try:
        act()
        outcome = "done"
    except OSError as error:
        outcome = type(error).__name__
    return outcome, time.monotonic() - started

def connect(family, host):
    with socket.socket(family, socket.SOCK_STREAM) as channel:
        channel.settimeout(10)
        channel.connect((host, 443))

def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.sendto(b"anybody?", ("{OUTSIDE}", 53))

print(json.dumps([
    attempt(lambda: connect(socket.AF_INET, "{OUTSIDE}")),
    attempt(lambda: connect(socket.AF_INET6, "{OUTSIDE_6}")),
    attempt(send),
    attempt(lambda: socket.getaddrinfo("outside.invalid", 443)),
]))
"""
_LISTEN = f"""
import socket
with socket.create_server(("{OTHER}", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        server.accept()[0].close()
"""
_CALL = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10).close()
    print("connected")
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture
def sealed() -> Iterator[Namespaces]:
    with only_loopback() as inside:
        yield inside


def test_make_demo_needs_no_network_and_looks_for_none(
    tmp_path: Path, sealed: Namespaces, capsys: pytest.CaptureFixture[str]
) -> None:
    built = subprocess.run(
        [sys.executable, "scripts/screen.py", "build"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if built.returncode:  # as on a machine that is set up
        unavailable(built.stderr)
    log = tmp_path / "seen.jsonl"
    stack = Stack(tmp_path, prefix=sealed.prefix, path=witness.install(tmp_path / "witness", log))
    before = unrouted(sealed)
    try:
        seconds = [_demo(stack), _demo(stack)]
        _open_the_page(stack, tmp_path / "page.png")
        living = stack.table()
    finally:
        stack.down()
    seen = witness.read(log)
    loaded = {each.pid: each.module for each in seen if each.event == witness.LOADED}
    events = Counter(each.event for each in seen)
    with capsys.disabled():
        print(f"\n`make demo` sealed: {seconds[0]:.1f} s, again {seconds[1]:.1f} s; ", end="")
        print(f"{len(loaded)} Python processes watched; {dict(events)}")
    for role, row in living.items():
        if row["pid"] is not None and role != "queue":  # the queue is no Python
            assert row["pid"] in loaded, f"{role} was not watched"
    assert set(loaded.values()) >= MODULES, loaded
    assert events["socket.connect"] > 0
    assert [each for each in seen if each.event != witness.LOADED and not each.is_local] == []
    assert unrouted(sealed) == before, "something wanted to send where there is no route"


def _demo(stack: Stack) -> float:
    """Run `make demo`; a checkout that was set up by hand has no stamp of `make setup`."""
    set_up = (ROOT / ".state" / "install").exists()
    started = time.monotonic()
    result = stack.execute(require("make"), *([] if set_up else ["--old-file=setup"]), "demo", folder=ROOT)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}\n{stack.logs()}"
    assert "118 days" in result.stdout, result.stdout
    assert stack.address in result.stdout, result.stdout
    return time.monotonic() - started


def _open_the_page(stack: Stack, page: Path) -> None:
    """Ask another question, as the demo suggests, and save the marked page behind its answer."""
    answer = stack.run("ask", QUESTION, "--json")
    assert answer.returncode == 0, answer.stderr
    cited = json.loads(answer.stdout)["citations"][0]["evidence"]
    marked = ("page", cited["document_id"], str(cited["page"]), "--mark", cited["passage_id"], "-o", str(page))
    shown = stack.run(*marked)
    assert shown.returncode == 0, shown.stderr
    assert page.read_bytes().startswith(b"\x89PNG")


def test_control_the_witnesses_see_an_attempt(tmp_path: Path, sealed: Namespaces) -> None:
    log = tmp_path / "seen.jsonl"
    path = witness.install(tmp_path / "witness", log)
    before = unrouted(sealed)
    started = time.monotonic()
    outcome = _python(sealed, _ATTEMPTS, path=path)
    assert time.monotonic() - started < 4 * AT_ONCE_SECONDS
    for result, seconds in json.loads(outcome):
        assert result != "done"
        assert seconds < AT_ONCE_SECONDS
    seen = witness.read(log)
    outside = {
        (each.event, json.dumps(each.target)) for each in seen if not each.is_local and each.event != witness.LOADED
    }
    assert outside == {
        ("socket.connect", json.dumps([OUTSIDE, 443])),
        ("socket.connect", json.dumps([OUTSIDE_6, 443])),
        ("socket.sendto", json.dumps([OUTSIDE, 53])),
        ("socket.getaddrinfo", json.dumps("outside.invalid")),
    }
    assert unrouted(sealed) >= before + 3


def test_control_the_seal_is_what_stops_it(sealed: Namespaces) -> None:
    """A listener in a namespace beside it answers there, and cannot be reached from inside the seal."""
    with only_loopback(OTHER) as beside:
        server = subprocess.Popen([*beside.prefix, sys.executable, "-c", _LISTEN], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            assert _python(beside, _CALL, OTHER, port) == "connected"
            assert _python(sealed, _CALL, OTHER, port) == "Network is unreachable"
            assert _python(beside, _CALL, OTHER, port) == "connected"
        finally:
            server.kill()
            server.communicate()
    until(lambda: server.poll() is not None, 5, "the listener is gone")


def _python(inside: Namespaces, program: str, *words: str, path: Path | None = None) -> str:
    environment = {"PATH": "/usr/bin:/bin", **({"PYTHONPATH": str(path)} if path else {})}
    result = subprocess.run(
        [*inside.prefix, sys.executable, "-c", program, *words],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
