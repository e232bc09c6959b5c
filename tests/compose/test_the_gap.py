"""A bundle made on one side is loaded on the other, by an engine that never saw a network, and answers there.

The first side is the copy of this checkout whose images the other tests use (`built.py`); `make bundle` makes the whole
bundle there.

The other side is a second engine in a network namespace that has loopback and nothing else, with an empty data
directory. It gets the bundle's folder, the public key, and no other file of the first side. Before its first start the
stack there is filled with what somebody had on a laptop.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from atoll.backup.stream import pack
from tests.compose import built, moved
from tests.compose.journey import ONE_OF_EACH, QUESTION, SAMPLES
from tests.compose.running import ROOT, Running
from tests.support import stack as stacks
from tests.support.stack import require

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.getuid() != 0, reason="starts a second engine in a network namespace"),
]

_SPACE = "atoll-gap"
#: Where the engine script unpacks an engine that is newer than the distribution's.
_ENGINE = Path("/opt/container-engine/usr")


@dataclass(frozen=True)
class OtherSide:
    """A machine behind the gap."""

    folder: Path
    socket: Path

    def run(
        self, command: Sequence[str], *, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return subprocess.run(
            ["nsenter", f"--net=/run/netns/{_SPACE}", *command],
            cwd=cwd or self.folder, env={**self._environment(), **environment},
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    def images(self) -> list[str]:
        return self.run(["docker", "images", "-q"]).stdout.split()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "DOCKER_HOST": f"unix://{self.socket}"}


@dataclass(frozen=True)
class Made:
    """A bundle and the keys: the signer's public one and a stranger's."""

    folder: Path
    key: Path
    stranger: Path


@pytest.fixture(scope="module")
def made(stack: Running, checkout: Path) -> Iterator[Made]:
    """Make the bundle as docs/operate.md says, with the profile and the chat model that the stack runs with."""
    folder = Path(tempfile.mkdtemp(prefix="atoll-bundle-", dir="/var/tmp"))
    try:
        keys = {name: _key_pair(folder / name) for name in ("release", "stranger")}
        for model in (stack.folder / "models").iterdir():
            shutil.copy(model, checkout / "models")
        bundle = folder / "bundle"
        words = [f"KEY={folder / 'release'}", f"PROFILE={stack.profile}", f"BUNDLE={bundle}"]
        said = built.run(checkout, "make", "bundle", *words)
        print(f"\n{said.splitlines()[-1]}")
        yield Made(bundle, keys["release"], keys["stranger"])
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def other_side() -> Iterator[OtherSide]:
    ip = require("ip")
    folder = Path(tempfile.mkdtemp(prefix="atoll-gap-", dir="/var/tmp"))
    subprocess.run([ip, "netns", "delete", _SPACE], capture_output=True, check=False)
    subprocess.run([ip, "netns", "add", _SPACE], check=True)
    subprocess.run([ip, "-n", _SPACE, "link", "set", "lo", "up"], check=True)
    try:
        with _engine(folder) as socket:
            yield OtherSide(folder, socket)
    finally:
        subprocess.run([ip, "netns", "delete", _SPACE], check=False)
        shutil.rmtree(folder)


def test_what_is_not_whole_or_not_signed_is_refused_by_name(made: Made, other_side: OtherSide) -> None:
    """Each part that a bundle has; tests/unit/ops/test_bundle.py does the same with one fault at a time."""
    load = ["sh", str(made.folder / "load.sh")]
    into = str(other_side.folder / "refused")

    def refusal(key: Path) -> tuple[int, str]:
        done = other_side.run([*load, str(key), into])
        assert other_side.images() == []
        return done.returncode, done.stderr

    code, said = refusal(made.stranger)
    assert (code, "SHA256SUMS.sig" in said) == (3, True), said
    for name in ("SHA256SUMS", "SHA256SUMS.sig"):
        with _flipped(made.folder / name):
            assert refusal(made.key)[0] == 3, name
        with _away(made.folder / name):
            code, said = refusal(made.key)
        assert (code, f"{name} is missing" in said) == (3, True), said
    parts = _one_of_each_part(made.folder)
    for name in parts:
        with _away(made.folder / name):
            code, said = refusal(made.key)
        assert (code, f"missing: {name} " in said) == (4, True), said
    with ExitStack() as flips:  # at once: the whole bundle is read only once
        for name in parts:
            flips.enter_context(_flipped(made.folder / name))
        code, said = refusal(made.key)
    assert code == 4
    assert sorted(said.partition("changed: ")[2].split()) == parts
    assert not any(Path(into).iterdir())
    print(f"\nrefused by name: {', '.join(parts)}")


def _one_of_each_part(bundle: Path) -> list[str]:
    """Return a file of every folder of a bundle and every file beside them, but not the script that says so."""
    folders = {path.parent for path in bundle.rglob("*") if path.is_file()}
    chosen = {min(path for path in folder.iterdir() if path.is_file()) for folder in folders - {bundle}}
    beside = {path for path in bundle.iterdir() if path.is_file() and not path.name.startswith("SHA256SUMS")}
    return sorted(str(path.relative_to(bundle)) for path in chosen | beside - {bundle / "load.sh"})


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup, as one stream, of what somebody had on a laptop without containers."""
    folder = tmp_path_factory.mktemp("laptop")
    with stacks.running(folder / "laptop") as local, local.client() as client:
        local.upload(client, {moved.NAME: moved.TEXT.encode()})
        assert all(each["status"] == "ready" for each in local.settled(client, seconds=120))
        assert local.run("backup", "create", "-o", str(folder / "saved")).returncode == 0
    with (folder / "saved.tar").open("wb") as file:
        pack(folder / "saved", file)
    return folder / "saved.tar"


def _restore(other_side: OtherSide, site: Path, saved: Path) -> None:
    """Fill the empty stack behind the gap, as docs/operate.md says."""
    command = f"docker compose run --rm -T backup restore - <{saved}"
    done = other_side.run(["sh", "-c", command], cwd=site)
    assert done.returncode == 0, done.stderr[-3000:]


def test_the_bundle_is_loaded_and_answers_behind_the_gap(made: Made, other_side: OtherSide, laptop: Path) -> None:
    outward = other_side.run([sys.executable, "-c", "import socket; socket.create_connection(('198.18.0.1', 9), 2)"])
    assert "unreachable" in outward.stderr, outward.stderr
    site = other_side.folder / "site"
    started = time.monotonic()
    done = other_side.run(["sh", str(made.folder / "load.sh"), str(made.key), str(site)])
    assert done.returncode == 0, done.stderr
    loaded = time.monotonic()
    assert "ATOLL_PULL_POLICY=never" in (site / ".env").read_text()
    assert (site / "secrets").stat().st_mode & 0o777 == 0o700
    with (site / ".env").open("a") as file:  # Qdrant's stand-in speaks REST only
        file.write("ATOLL_VECTORS__GRPC=false\n")
    try:
        _restore(other_side, site, laptop)
        up = other_side.run(["docker", "compose", "up", "--wait"], cwd=site)
        assert up.returncode == 0, up.stderr[-3000:]
        ready = time.monotonic()
        journey = other_side.run(
            [sys.executable, "-m", "tests.compose.journey", "http://127.0.0.1:8000", str(site / ".atoll/owner.key")],
            cwd=ROOT,
        )
        assert journey.returncode == 0, journey.stderr
        print(f"\nbehind the gap: loaded in {loaded - started:.0f} s, ready in {ready - loaded:.0f} s more")
        print(f"answered there: {journey.stdout.strip()}")
        moved = other_side.run(
            [sys.executable, "-m", "tests.compose.moved", "http://127.0.0.1:8000", str(site / ".atoll/owner.key")],
            cwd=ROOT,
        )
        assert moved.returncode == 0, moved.stderr
    finally:
        other_side.run(["docker", "compose", "down", "-v", "-t", "10"], cwd=site)


def test_the_bundles_packages_run_the_mode_without_containers(made: Made, other_side: OtherSide) -> None:
    """Layer by layer, with the very lines of docs/operate.md, from the bundle's folder and no index."""
    guide = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    lines = guide.partition("### Python packages without an index")[2].partition("```sh\n")[2].partition("```")[0]
    folder = other_side.folder / "local"
    folder.mkdir()
    (folder / "wheels").symlink_to(made.folder / "wheels")
    assert other_side.run([sys.executable, "-m", "venv", str(folder / "venv")]).returncode == 0
    path = f"{folder}/venv/bin:{os.environ['PATH']}"

    def run(script: str) -> str:
        # This machine's own configuration of pip names folders and an index that nobody has there.
        done = other_side.run(["sh", "-euc", script], cwd=folder, PATH=path, PIP_CONFIG_FILE=os.devnull)
        assert done.returncode == 0, f"{script}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    started = time.monotonic()
    try:
        run(lines)
        ready = time.monotonic()
        run(f"atoll ingest {SAMPLES / ONE_OF_EACH[0]}")
        answer = json.loads(run(f"atoll ask --json '{QUESTION}'"))
    finally:
        other_side.run(["sh", "-c", "atoll down"], cwd=folder, PATH=path)
    assert answer["citations"]
    print(f"\nwithout containers: installed and ready in {ready - started:.0f} s; {answer['answer']}")


def _key_pair(private: Path) -> Path:
    public = private.with_suffix(".pub")
    for command in (
        ["genpkey", "-algorithm", "ed25519", "-out", str(private)],
        ["pkey", "-in", str(private), "-pubout", "-out", str(public)],
    ):
        subprocess.run([require("openssl"), *command], check=True, capture_output=True)
    return public


@contextmanager
def _flipped(path: Path) -> Iterator[None]:
    """Change one bit in the middle of a file for a while."""

    def flip() -> None:
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            (byte,) = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))

    flip()
    try:
        yield
    finally:
        flip()


@contextmanager
def _away(path: Path) -> Iterator[None]:
    """Take a file away for a while."""
    elsewhere = path.rename(Path("/var/tmp") / f"atoll-away-{os.getpid()}")
    try:
        yield
    finally:
        elsewhere.rename(path)


@contextmanager
def _engine(folder: Path) -> Iterator[Path]:
    """Run an engine in the namespace; `ip netns exec` would mount a /sys in which it finds no cgroups."""
    run = Path(f"/run/{_SPACE}")
    socket = run.with_suffix(".sock")
    path = f"{_ENGINE}/sbin:{_ENGINE}/bin:{os.environ['PATH']}"
    with (folder / "dockerd.log").open("w") as log:
        engine = subprocess.Popen(
            [
                "nsenter", f"--net=/run/netns/{_SPACE}", "dockerd", "--data-root", str(folder / "data"),
                "--exec-root", str(run), "--pidfile", f"{run}.pid", "--host", f"unix://{socket}",
            ],
            env={**os.environ, "PATH": path}, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            for _ in range(60):
                if (
                    subprocess.run(
                        ["docker", "-H", f"unix://{socket}", "info"], capture_output=True, check=False
                    ).returncode
                    == 0
                ):
                    break
                assert engine.poll() is None, (folder / "dockerd.log").read_text()[-2000:]
                time.sleep(1)
            yield socket
        finally:
            engine.terminate()
            engine.wait(60)
            shutil.rmtree(run, ignore_errors=True)
