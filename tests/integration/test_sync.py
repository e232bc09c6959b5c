"""``atoll ingest DIR --sync`` as a process: a knowledge base that mirrors a folder, also when the command is killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_gateway import KEY, FakeGateway, serving
from tests.support.forked import Interpreter, Process

_SECONDS = 60.0


class Mirrored:
    """A folder, the gateway that mirrors it, and the command."""

    def __init__(self, interpreter: Interpreter, gateway: FakeGateway, port: int, folder: Path) -> None:
        self.gateway = gateway
        self.root = folder / "library"
        self._interpreter = interpreter
        self._log = folder / "log"
        self._environment = {
            "PATH": os.environ["PATH"],
            "ATOLL_DATA_DIR": str(folder / "data"),
            "ATOLL_GATEWAY__PORT": str(port),
            "ATOLL_API_KEY": KEY,
        }

    def write(self, name: str, text: str) -> None:
        """Write a file that was finished a while ago."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        then = time.time() - 3600
        os.utime(path, (then, then))

    def start(self, *options: str) -> Process:
        self._log.write_text("")
        return self._interpreter.start(
            "atoll.cli.main", ["ingest", str(self.root), "--sync", *options], self._environment, self._log
        )

    def watch(self, **settings: str) -> Process:
        """Start the role that mirrors the folder."""
        self._log.write_text("")
        named = {f"ATOLL_WATCH__{name.upper()}": value for name, value in settings.items()}
        environment = {**self._environment, "ATOLL_WATCH__FOLDER": str(self.root), **named}
        return self._interpreter.start("atoll.cli.sync", [], environment, self._log)

    def sync(self, *options: str) -> tuple[int, str]:
        code = self.start(*options).wait(_SECONDS)
        return code, self._log.read_text()

    @property
    def said(self) -> str:
        return self._log.read_text()

    @property
    def places(self) -> Counter[tuple[str, str]]:
        """Path and hash of each document."""
        documents = list(self.gateway.documents.values())
        return Counter(("/".join(filter(None, (each["source"], each["name"]))), each["sha256"]) for each in documents)

    @property
    def files(self) -> Counter[tuple[str, str]]:
        """Path and hash of each file."""
        paths = [path for path in self.root.rglob("*") if path.is_file()]
        return Counter(
            (path.relative_to(self.root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths
        )


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    prepare = "import atoll.cli.ingest, atoll.cli.sync.command"
    started = Interpreter(sys.executable, prepare, {"PATH": os.environ["PATH"]})
    yield started
    started.close()


@pytest.fixture
def mirror(interpreter: Interpreter, tmp_path: Path) -> Iterator[Mirrored]:
    gateway = FakeGateway()
    gateway.page_size = 7
    with serving(gateway) as port:
        made = Mirrored(interpreter, gateway, port, tmp_path)
        for number in range(10):
            made.write(f"part{number % 3}/{number}.txt", f"text {number}")
        yield made


def test_a_knowledge_base_follows_its_folder(mirror: Mirrored) -> None:
    assert mirror.sync()[0] == 0
    assert mirror.places == mirror.files
    kept = {each["sha256"]: uid for uid, each in mirror.gateway.documents.items()}
    mirror.write("part0/0.txt", "changed")
    mirror.write("new/n.txt", "new")
    (mirror.root / "part1" / "1.txt").rename(mirror.root / "new" / "moved.txt")
    (mirror.root / "part2" / "2.txt").unlink()
    before, uploads = dict(mirror.gateway.documents), mirror.gateway.uploads
    code, said = mirror.sync("--dry-run")
    assert (code, said.splitlines()[-1]) == (0, "would be: 1 added, 1 changed, 1 moved, 1 deleted, 7 unchanged")
    assert mirror.gateway.documents.keys() == before.keys()
    code, said = mirror.sync()
    assert (code, said.splitlines()[-1]) == (0, "in step: 1 added, 1 changed, 1 moved, 1 deleted, 7 unchanged")
    assert "moved         part1/1.txt -> new/moved.txt" in said
    assert mirror.places == mirror.files
    assert mirror.gateway.uploads == uploads + 2
    moved = hashlib.sha256(b"text 1").hexdigest()
    assert mirror.gateway.documents[kept[moved]]["name"] == "moved.txt"
    code, said = mirror.sync("--json")
    assert (code, json.loads(said)["unchanged"], mirror.gateway.uploads) == (0, 10, uploads + 2)


def test_a_folder_that_is_gone_or_empty_or_half_gone_deletes_nothing(mirror: Mirrored) -> None:
    mirror.sync()
    whole = mirror.places
    away = mirror.root.with_name("away")
    mirror.root.rename(away)
    code, said = mirror.sync("--accept-deletes", "10")
    assert (code, "is no folder that can be read" in said) == (1, True)
    mirror.root.mkdir()
    code, said = mirror.sync()
    assert (code, "--accept-deletes 10" in said) == (1, True)
    shutil.copytree(away / "part0", mirror.root / "part0")
    code, said = mirror.sync()
    assert (code, "6 of 10 documents would be deleted" in said) == (1, True)
    assert mirror.sync("--accept-deletes", "5")[0] == 1
    assert mirror.places == whole
    assert mirror.sync("--accept-deletes", "6")[0] == 0
    assert mirror.places == mirror.files


def test_other_folders_documents_stay_with_a_root(mirror: Mirrored) -> None:
    mirror.sync()
    whole, top = mirror.places, mirror.root
    (top / "part1" / "4.txt").unlink()
    (top / "part0" / "0.txt").unlink()
    mirror.root = top / "part1"
    code, said = mirror.sync("--root", str(top), "--accept-deletes", "1")
    assert (code, said.splitlines()[-1]) == (0, "in step: 1 deleted, 2 unchanged")
    assert set(whole - mirror.places) == {("part1/4.txt", hashlib.sha256(b"text 4").hexdigest())}


def test_a_file_that_cannot_be_read_is_told_once_more_and_not_sent_again(mirror: Mirrored) -> None:
    mirror.write("broken.txt", "torn")
    code, said = mirror.sync()
    assert (code, "page 7 is torn" in said, "not yet in step" in said) == (1, True, True)
    uploads = mirror.gateway.uploads
    code, said = mirror.sync()
    assert (code, mirror.gateway.uploads) == (0, uploads)
    assert "failed before broken.txt" in said


def test_a_file_that_was_written_a_moment_ago_is_sent_when_it_rests(mirror: Mirrored) -> None:
    (mirror.root / "fresh.txt").write_text("fresh")
    assert mirror.sync()[0] == 0
    assert mirror.places == mirror.files


def test_watching_follows_changes_and_outlives_the_gateway(mirror: Mirrored) -> None:
    process = mirror.start("--watch")
    try:
        _until(lambda: mirror.places == mirror.files)
        mirror.gateway.busy_for = 2
        mirror.write("deep/er/late.txt", "late")
        (mirror.root / "part0" / "0.txt").unlink()
        _until(lambda: mirror.places == mirror.files)
        shutil.rmtree(mirror.root / "part1")
        shutil.rmtree(mirror.root / "part2")
        _until(lambda: "--accept-deletes" in mirror.said)
        assert mirror.places != mirror.files
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_SECONDS)


def test_the_role_needs_nothing_that_its_image_lacks() -> None:
    program = "import sys; sys.modules['rich'] = None; import atoll.cli.sync.__main__ as role; print(role.main())"
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS
    )
    assert (done.stdout, done.stderr) == ("1\n", "watch: ATOLL_WATCH__FOLDER names no folder to watch\n")


def test_the_role_waits_for_its_folder_and_goes_on_after_it_was_killed(mirror: Mirrored, tmp_path: Path) -> None:
    away, alive, key = tmp_path / "away", tmp_path / "alive", tmp_path / "key"
    key.write_text(f"{KEY}\n")
    settings = {"heartbeat_file": str(alive), "key_file": str(key), "labels": "staff", "look_seconds": "0.2"}
    mirror.root.rename(away)
    process = mirror.watch(**settings)
    try:
        _until(lambda: "is no folder that can be read" in mirror.said)
        assert process.poll() is None
        away.rename(mirror.root)
        _until(lambda: mirror.places == mirror.files)
        assert {fields["labels"] for fields in mirror.gateway.fields} == {"staff"}
        assert alive.exists()
        process.kill()
        process.wait(_SECONDS)
        mirror.write("later.txt", "later")
        process = mirror.watch(**settings)
        _until(lambda: mirror.places == mirror.files)
        assert mirror.said.startswith("watching ")
    finally:
        process.kill()
        process.wait(_SECONDS)


@pytest.mark.parametrize("kills", [8, pytest.param(30, marks=pytest.mark.soak)])
def test_a_mirror_that_was_killed_anywhere_is_whole_after_the_next_run(mirror: Mirrored, kills: int) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for turn in range(kills):
        _change(mirror, chance, turn)
        process = mirror.start("--accept-deletes", "1000")
        time.sleep(chance.uniform(0.02, 0.6))
        process.kill()
        process.wait(_SECONDS)
    code, said = mirror.sync("--accept-deletes", "1000")
    assert code == 0, said
    assert mirror.places == mirror.files, said
    uploads = mirror.gateway.uploads
    assert mirror.sync()[1].splitlines()[-1] == f"in step: {len(mirror.files)} unchanged"
    assert mirror.gateway.uploads == uploads


def _change(mirror: Mirrored, chance: random.Random, turn: int) -> None:
    """Write, change, move and remove some files."""
    files = sorted(path for path in mirror.root.rglob("*") if path.is_file())
    for path in chance.sample(files, 4):
        mirror.write(path.relative_to(mirror.root).as_posix(), f"changed in turn {turn} {path.name}")
    for number, path in enumerate(chance.sample(files, 3)):
        target = mirror.root / f"moved{turn}" / f"{number}.txt"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    for number in range(6):
        mirror.write(f"turn{turn}/{number}.txt", f"new in turn {turn} {number}")
    for path in chance.sample(sorted(path for path in mirror.root.rglob("*") if path.is_file()), 3):
        path.unlink()


def _until(condition: object) -> None:
    assert callable(condition)
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
