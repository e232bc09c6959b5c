"""A bundle in small: everything that can be wrong with it is refused by name, and then the engine is not touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from atoll.cli.main import cli
from atoll.ops.bundle import BundleRefused, create, sign
from tests.support.stack import ROOT, require

_IMAGES = ("atoll/gateway:0.1.0", "valkey/valkey:8.1.9-alpine")

#: Answers as the container client does and notes each call.
_DOCKER = r"""#!/bin/sh
echo "$*" >>"$DOCKER_CALLS"
case "$1" in
    compose) printf '%s\n' atoll/gateway:0.1.0 valkey/valkey:8.1.9-alpine atoll/gateway:0.1.0 ;;
    image) [ "$2" = inspect ] || [ "$4" != "$DOCKER_LACKS" ] && echo 0123456789ab; : ;;
    save) echo layers >"$3" ;;
    info) [ "$2" != -f ] || echo /var/lib/docker ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return what the container client was asked for so far."""
    for program in ("openssl", "sha256sum"):
        require(program)
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin" / "docker"
    client.write_text(_DOCKER)
    client.chmod(0o755)
    noted = tmp_path / "calls"
    monkeypatch.setenv("PATH", f"{client.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_CALLS", str(noted))
    monkeypatch.setenv("DOCKER_LACKS", "")
    return lambda: noted.read_text().splitlines() if noted.exists() else []


@pytest.fixture
def bundle(calls: Callable[[], list[str]], tmp_path: Path) -> Path:
    models = tmp_path / "models"
    (models / "snapshot").mkdir(parents=True)
    (models / "blob").write_text("weights")
    (models / "snapshot" / "model.safetensors").symlink_to(models / "blob")
    (models / ".gitignore").write_text("*")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("atoll-0.1.0-py3-none-any.whl", "screen.tar.gz", "screen.tar.gz.sha256", "README.md"):
        (wheels / name).write_text(name)
    folder = tmp_path / "bundle"
    made = create(ROOT, folder, version="0.1.0", profile="cpu", models=models, wheels=wheels)
    assert made.images == _IMAGES
    assert made.models == ("blob", "snapshot")
    assert made.wheels == ("atoll-0.1.0-py3-none-any.whl",)
    carried = {path.name for path in (folder / "wheels").iterdir() if path.suffix != ".lock"}
    assert carried == {"atoll-0.1.0-py3-none-any.whl", "screen.tar.gz", "screen.tar.gz.sha256"}
    sign(folder, key_pair(tmp_path / "release"))
    Path(os.environ["DOCKER_CALLS"]).unlink()
    return folder


def key_pair(private: Path) -> Path:
    """Make a key pair, the public one beside the private one as .pub."""
    for command in (
        ["genpkey", "-algorithm", "ed25519", "-out", str(private)],
        ["pkey", "-in", str(private), "-pubout", "-out", f"{private}.pub"],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    return private


def load(bundle: Path, *, key: str = "release.pub") -> tuple[int, str]:
    """Run the bundle's own script as an operator does; return exit code and what it complained about."""
    done = subprocess.run(
        ["sh", str(bundle / "load.sh"), str(bundle.parent / key), str(bundle.parent / "site")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_a_whole_bundle_is_loaded(bundle: Path, calls: Callable[[], list[str]]) -> None:
    assert load(bundle) == (0, "")
    assert calls()[2] == "load -q -i images.tar"
    assert calls()[-1].endswith("atoll/gateway:0.1.0 python -m atoll.cli.main init --compose --offline")
    site = bundle.parent / "site"
    assert (site / "docker-compose.yml").read_bytes() == (ROOT / "docker-compose.yml").read_bytes()
    assert (site / "services/edge/nginx.conf").exists()
    weights = site / "models/snapshot/model.safetensors"
    assert (weights.read_text(), weights.is_symlink()) == ("weights", False)
    body = json.loads((bundle / "bundle.json").read_text())
    assert (body["format"], body["version"], body["images"]) == (1, "0.1.0", list(_IMAGES))


def parts() -> list[str]:
    return [
        "SHA256SUMS", "SHA256SUMS.sig", "bundle.json", "images.tar", "images.txt", "load.sh", "models/blob",
        "compose/docker-compose.yml", "compose/services/edge/nginx.conf", "compose/.env.example",
    ]  # fmt: skip


@pytest.mark.parametrize("part", parts())
def test_a_flipped_byte_is_refused_by_name(bundle: Path, calls: Callable[[], list[str]], part: str) -> None:
    """Ours runs on it: a script that was tampered with may do anything, which is why it is checked by hand first."""
    content = bytearray((bundle / part).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / part).write_bytes(bytes(content))
    done = CliRunner().invoke(cli, ["bundle", "verify", str(bundle), "--key", f"{bundle.parent}/release.pub", "--json"])
    verdict = json.loads(done.stdout)
    assert done.exit_code == (3 if part.startswith("SHA256SUMS") else 4)
    assert part in verdict["reason"]
    assert verdict["whole"] is False
    assert calls() == []


@pytest.mark.parametrize("part", parts())
def test_a_missing_part_is_refused_by_name(bundle: Path, calls: Callable[[], list[str]], part: str) -> None:
    kept = bundle.parent / "load.sh"
    shutil.copy(bundle / "load.sh", kept)
    (bundle / part).unlink()
    done = subprocess.run(
        ["sh", str(kept), "--bundle", str(bundle), str(bundle.parent / "release.pub"), str(bundle.parent / "site")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == (3 if part.startswith("SHA256SUMS") else 4)
    assert part in done.stderr
    assert calls() == []


def test_another_key_is_refused(bundle: Path, calls: Callable[[], list[str]]) -> None:
    key_pair(bundle.parent / "stranger")
    code, said = load(bundle, key="stranger.pub")
    assert (code, calls()) == (3, [])
    assert "stranger.pub" in said


def test_what_was_added_is_refused(bundle: Path, calls: Callable[[], list[str]]) -> None:
    (bundle / "compose/services/edge/more.conf").write_text("")
    code, said = load(bundle)
    assert (code, calls()) == (4, [])
    assert "not part of it: compose/services/edge/more.conf" in said


def test_a_link_is_refused(bundle: Path, calls: Callable[[], list[str]]) -> None:
    (bundle / "images.txt").unlink()
    (bundle / "images.txt").symlink_to("/etc/hostname")
    code, said = load(bundle)
    assert (code, calls()) == (4, [])
    assert "images.txt" in said


def test_a_bundle_that_was_not_finished_is_none(bundle: Path) -> None:
    (bundle / "SHA256SUMS").unlink()
    with pytest.raises(BundleRefused, match="no finished bundle"):
        sign(bundle, bundle.parent / "release")
    assert load(bundle)[0] == 3


def test_an_image_that_is_not_there_stops_the_making(
    calls: Callable[[], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del calls
    monkeypatch.setenv("DOCKER_LACKS", _IMAGES[1])
    with pytest.raises(BundleRefused, match=_IMAGES[1]):
        create(ROOT, tmp_path / "bundle", version="0.1.0", profile="cpu", models=None, wheels=None)
    assert not (tmp_path / "bundle").exists()
