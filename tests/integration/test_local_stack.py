"""The local stack's supervisor over real processes: stand-in roles that live, die and misbehave on demand."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from atoll.errors import DependencyDown, StartRefused
from atoll.local import control, pids, plan, roles, state
from atoll.local.pids import Identity
from atoll.local.state import StackState
from atoll.local.supervisor import Supervisor
from atoll.settings import EmbeddingSettings, GatewaySettings, PageSettings, QueueSettings, Settings, WatchSettings

STACK = Path(__file__).parents[1] / "support" / "stand_in_stack.py"
PARENT = """
import subprocess, sys, time
from atoll.local.tether import tethered
child = subprocess.Popen(tethered((sys.executable, "-c", "import time; time.sleep(60)")))
time.sleep(0.5)
print(child.pid, flush=True)
time.sleep(60)
"""


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Tree:
    """A stack of stand-ins in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run_dir = folder / "run"
        self.supervisors: list[subprocess.Popen[bytes]] = []
        self.spec = folder / "spec.json"

    def describe(self, *specs: dict) -> None:
        ports = free_ports(len(specs))
        described = [{"port": port, **spec} for port, spec in zip(ports, specs, strict=True)]
        self.address = f"http://127.0.0.1:{described[-1]['port']}"
        self.spec.write_text(json.dumps({"folder": str(self.folder), "roles": described}))

    def up(self, seconds: float = 20.0) -> subprocess.Popen[bytes] | None:
        supervisor = control.start(self.run_dir, self.folder / "logs", (sys.executable, str(STACK), str(self.spec)))
        if supervisor is not None:
            self.supervisors.append(supervisor)
        control.await_ready(self.run_dir, self.address, supervisor, timeout_seconds=seconds, on_change=lambda row: None)
        until(lambda: self.state().phase == "running")
        return supervisor

    def down(self) -> bool:
        ran = control.stop(self.run_dir)
        for supervisor in self.supervisors:
            supervisor.wait(5)
        return ran

    def state(self) -> StackState:
        current = state.read(self.run_dir)
        assert current is not None
        return current

    def identity(self, role: str) -> Identity:
        row = self.state().row(role)
        assert row is not None
        assert row.identity is not None, row
        return row.identity

    def living(self) -> list[Identity]:
        return [row.identity for row in self.state().rows if row.identity is not None and row.alive]

    def starts(self, role: str) -> list[float]:
        path = self.folder / f"{role}.starts"
        return [float(line.split()[0]) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path)
    yield made
    control.stop(made.run_dir)
    for supervisor in made.supervisors:
        supervisor.wait(5)


def test_roles_start_after_what_they_need_and_the_others_at_once(tree: Tree) -> None:
    tree.describe(
        {"name": "store", "options": ["--slow", "2"]},
        {"name": "aside"},
        {"name": "front", "after": ["store"]},
    )
    tree.up()
    [store], [aside], [front] = tree.starts("store"), tree.starts("aside"), tree.starts("front")
    assert front - store >= 2
    assert aside < front - 0.5
    assert tree.down()
    assert not tree.living()


def test_status_has_the_agreed_shape(tree: Tree) -> None:
    tree.describe({"name": "queue"}, {"name": "gateway", "after": ["queue"]})
    supervisor = tree.up()
    assert supervisor is not None
    body = control.status(tree.run_dir, "http://unused")
    assert body["ready"] is True
    assert body["address"] == tree.address
    rows = {row["role"]: row for row in body["processes"]}
    listed = ["supervisor", "gateway", "worker", "parser", "embeddings", "pages", "chat", "vectors", "queue", "watch"]
    assert list(rows) == listed
    fields = {"role", "pid", "state", "restarts", "address", "token_file", "rss_bytes"}
    assert all(set(row) == fields for row in rows.values())
    assert rows["supervisor"]["pid"] == supervisor.pid
    assert rows["gateway"]["state"] == "running"
    assert rows["gateway"]["rss_bytes"] > 1_000_000
    assert rows["pages"]["state"] == rows["chat"]["state"] == "not configured"
    json.dumps(body)
    tree.down()
    after = control.status(tree.run_dir, "http://unused")
    assert after["ready"] is False
    assert all(row["pid"] is None for row in after["processes"])


@pytest.mark.parametrize("role", ["queue", "gateway"])
def test_a_killed_role_comes_back(tree: Tree, role: str) -> None:
    tree.describe({"name": "queue"}, {"name": "gateway", "after": ["queue"]})
    tree.up()
    before = tree.identity(role)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: (row := tree.state().row(role)) is not None and row.restarts == 1 and row.state == "running", 5)
    assert tree.identity(role) != before
    other = tree.state().row("gateway" if role == "queue" else "queue")
    assert other is not None
    assert other.restarts == 0


def test_a_hung_role_is_ended_and_comes_back_and_what_answers_is_left_alone(tree: Tree) -> None:
    patience = {"probes": 2, "every_seconds": 0.2}
    tree.describe(
        {"name": "queue", "patience": patience},
        {"name": "pages", "patience": patience, "options": ["--unready-after", "2"]},
        {"name": "gateway", "after": ["queue"]},
    )
    tree.up()
    hung, unready = tree.identity("queue"), tree.identity("pages")
    os.kill(hung.pid, signal.SIGSTOP)
    until(lambda: (row := tree.state().row("queue")) is not None and row.restarts == 1 and row.state == "running", 15)
    assert not hung.alive
    assert "did not answer 2 times in a row" in (tree.folder / "logs" / "supervisor.log").read_text()
    pages = tree.state().row("pages")
    assert pages is not None
    assert (pages.state, pages.restarts, pages.identity) == ("unresponsive", 0, unready)  # it says 503: it lives


def test_restarts_back_off_and_never_wait_longer_than_five_seconds(tree: Tree) -> None:
    tree.describe({"name": "frail", "options": ["--die-after", "0.3"]}, {"name": "gateway"})
    tree.up()
    until(lambda: len(tree.starts("frail")) >= 5, 20)
    starts = tree.starts("frail")
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps[3] > gaps[0] + 1.0
    assert max(gaps) < 5 + 1.5


def test_what_a_dead_role_leaves_behind_is_ended_before_it_starts_again(tree: Tree) -> None:
    tree.describe({"name": "gateway", "options": ["--grandchild"]})
    tree.up()
    left = pids.identify(int((tree.folder / "gateway.grandchild").read_text()))
    assert left is not None
    os.kill(tree.identity("gateway").pid, signal.SIGKILL)
    until(lambda: not left.alive, 5)


def test_no_orphan_after_the_supervisor_was_killed_and_started_again(tree: Tree) -> None:
    tree.describe({"name": "queue", "options": ["--grandchild"]}, {"name": "gateway", "after": ["queue"]})
    first = tree.up()
    assert first is not None
    children = [tree.identity("queue"), tree.identity("gateway")]
    grandchild = pids.identify(int((tree.folder / "queue.grandchild").read_text()))
    assert grandchild is not None
    first.kill()
    first.wait()
    assert pids.await_death(children, 5) == []  # the kernel took them along
    assert grandchild.alive  # what the kernel does not: this is why the state file exists
    body = control.status(tree.run_dir, tree.address)
    assert body["ready"] is False
    assert all(row["pid"] is None for row in body["processes"])
    second = tree.up()
    assert second is not None
    assert not grandchild.alive
    assert tree.identity("queue") not in children


def test_a_recorded_pid_that_belongs_to_somebody_else_now_is_left_alone(tree: Tree, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as stranger:
        identity = pids.identify(stranger.pid)
        assert identity is not None
        row = state.Row("queue", "running", pid=stranger.pid, start_ticks=identity.start_ticks - 1)
        tree.run_dir.mkdir()
        state.write(tree.run_dir, StackState(pids.boot_id(), "running", "", (row,)))
        assert state.end_leftovers(tree.run_dir) == []
        assert identity.alive
        stranger.kill()


@pytest.mark.parametrize("manner", ["stopped", "deaf"])
def test_down_ends_a_role_that_does_not_listen(tree: Tree, manner: str) -> None:
    tree.describe({"name": "queue"}, {"name": "gateway", "options": ["--deaf"] if manner == "deaf" else []})
    tree.up()
    gateway = tree.identity("gateway")
    if manner == "stopped":
        os.kill(gateway.pid, signal.SIGSTOP)
    started = time.monotonic()
    assert tree.down()
    assert time.monotonic() - started < 5
    assert not gateway.alive


def test_down_ends_a_supervisor_that_is_stopped(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "STOP_SECONDS", 3.0)
    tree.describe({"name": "gateway"})
    tree.up()
    members = tree.living()
    os.kill(tree.identity("supervisor").pid, signal.SIGSTOP)
    assert tree.down()
    assert pids.await_death(members, 5) == []


def test_a_refusal_is_shown_with_its_line_and_ends_the_start(tree: Tree) -> None:
    tree.describe({"name": "queue"}, {"name": "gateway", "after": ["queue"], "options": ["--refuse", "no pepper here"]})
    with pytest.raises(StartRefused, match="gateway did not start: no pepper here"):
        tree.up()
    assert len(tree.starts("gateway")) == 1
    assert tree.state().phase == "refused"
    assert not tree.living()


def test_waiting_for_what_never_answers_is_bounded(tree: Tree) -> None:
    tree.describe({"name": "gateway", "options": ["--slow", "60"]})
    with pytest.raises(DependencyDown, match=r"not ready after 1 s: gateway \(starting\)"):
        tree.up(seconds=1)


def test_up_twice_is_one_stack(tree: Tree) -> None:
    tree.describe({"name": "gateway", "options": ["--slow", "0.5"]})
    outcomes: list[subprocess.Popen[bytes] | None] = []
    threads = [threading.Thread(target=lambda: outcomes.append(tree.up())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(outcomes) == 3
    assert tree.up() is None
    assert len(tree.starts("gateway")) == 1


def test_down_without_up_is_fine(tree: Tree) -> None:
    assert control.stop(tree.run_dir) is False
    tree.run_dir.mkdir()
    assert control.stop(tree.run_dir) is False


def test_logs_stay_small(tree: Tree) -> None:
    tree.describe({"name": "gateway", "options": ["--flood-mib", "40"]})
    tree.up()
    log = tree.folder / "logs" / "gateway.log"
    until(lambda: log.stat().st_size < 8 * 1024 * 1024 + 1 and not [*log.parent.glob("*.tmp")])
    time.sleep(2)
    assert log.stat().st_size <= 8 * 1024 * 1024
    assert log.with_name("gateway.log.1").stat().st_size <= 10 * 1024 * 1024
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize("path", ["with setpriv", "without setpriv"])
def test_a_child_dies_with_its_parent(path: str, tmp_path: Path) -> None:
    environment = None if path == "with setpriv" else {**os.environ, "PATH": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = pids.identify(int(parent.stdout.readline()))
        assert child is not None
        parent.kill()
        parent.wait()
        assert pids.await_death([child], 5) == []


def test_a_taken_port_names_itself_its_setting_and_its_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        settings = Settings(data_dir=tmp_path, gateway=GatewaySettings(port=port))
        with pytest.raises(StartRefused, match=rf"port {port} .*pid {os.getpid()}.*ATOLL_GATEWAY__PORT"):
            plan.plan(settings)
        free = free_ports(1)[0]
        settings = Settings(data_dir=tmp_path, gateway=GatewaySettings(port=free), queue=QueueSettings(port=port))
        with pytest.raises(StartRefused, match=rf"port {port} .*ATOLL_QUEUE__PORT"):
            plan.plan(settings)


def test_the_page_image_server_starts_after_the_embeddings_and_can_be_left_out(tmp_path: Path) -> None:
    def planned(**sections) -> tuple[dict[str, roles.Role], dict[str, str]]:
        gateway = GatewaySettings(port=free_ports(1)[0])
        (tmp_path / "run").mkdir(exist_ok=True)
        stack = plan.plan(Settings(data_dir=tmp_path, gateway=gateway, **sections))
        return {role.name: role for role in stack.roles}, {each.name: each.state for each in stack.elsewhere}

    running, elsewhere = planned()
    pages = running["pages"]
    assert pages.after == {"embeddings"}
    assert pages.token_file is not None
    assert running["gateway"].environment["ATOLL_PAGES__URL"] == pages.address
    assert "pages" not in running["gateway"].after  # nobody waits for it
    assert "pages" not in elsewhere
    away = "http://10.0.0.9:8082"
    for sections, told in (
        ({"pages": PageSettings(enabled=False)}, "not configured"),
        ({"pages": PageSettings(enabled=False, url=away)}, "not configured"),
        ({"pages": PageSettings(url=away)}, "external"),
        ({"embeddings": EmbeddingSettings(url="http://10.0.0.9/v1", ours=False)}, "not configured"),
    ):
        running, elsewhere = planned(**sections)
        assert "pages" not in running
        assert elsewhere["pages"] == told


def test_a_folder_is_watched_where_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    for folder in (None, tmp_path / "papers"):
        gateway = GatewaySettings(port=free_ports(1)[0])
        stack = plan.plan(Settings(data_dir=tmp_path, gateway=gateway, watch=WatchSettings(folder=folder)))
        watch = {role.name: role for role in stack.roles}.get("watch")
        if folder is None:
            assert watch is None
            assert {each.name: each.state for each in stack.elsewhere}["watch"] == "not configured"
        else:
            assert watch is not None
            assert (watch.after, watch.address) == ({"gateway"}, folder.as_uri())
            assert watch.environment["ATOLL_WATCH__FOLDER"] == str(folder)
            assert "watch" not in {each.name for each in stack.elsewhere}


def test_the_queue_starts_guarded_and_on_a_broken_log_too(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, gateway=GatewaySettings(port=free_ports(1)[0]))
    (tmp_path / "run").mkdir()
    broken = tmp_path / "queue" / "appendonlydir"
    broken.mkdir(parents=True)
    (broken / "appendonly.aof.manifest").write_text("file nonsense\n")
    stack = plan.plan(settings)
    supervisor = Supervisor(replace(stack, roles=tuple(role for role in stack.roles if role.name == "queue")))
    address = next(role.address for role in stack.roles if role.name == "queue")
    assert address is not None
    seen: list[bytes] = []

    def look() -> None:
        until(lambda: (current := state.read(tmp_path / "run")) is not None and current.phase == "running")
        host, port = address.removeprefix("redis://").removesuffix("/0").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            seen.append(connection.recv(100))
        os.kill(os.getpid(), signal.SIGTERM)

    watcher = threading.Thread(target=look)
    watcher.start()
    supervisor.run()  # signals are for the main thread
    watcher.join(5)
    assert seen == [b"-NOAUTH Authentication required.\r\n"]
    for name in ("queue.conf", "queue.password"):
        assert stat.S_IMODE((tmp_path / "run" / name).stat().st_mode) == 0o600
    password = (tmp_path / "run" / "queue.password").read_text()
    assert not any(password in word for role in stack.roles for word in (*role.command, *role.environment.values()))
