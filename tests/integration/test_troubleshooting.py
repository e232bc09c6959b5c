"""Every row of docs/troubleshooting.md: the message appears, and the advice stands in it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from atoll import settings
from atoll.errors import StartRefused
from atoll.ops import preflight, stack_secrets
from atoll.ops.models import present
from tests.support.stack import ROOT, require

_ROW = re.compile(r"^\| `([^`]+)`[^|]*\| ([^|]+) \|", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
ROWS = dict(_ROW.findall((ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")))


def script(name: str, **environment: str) -> str:
    """Run a start script of services/ as its image does; it ends before it starts a server."""
    done = subprocess.run(
        ["sh", str(ROOT / "services" / name)],
        env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode == 1, done
    return done.stderr


def models(capsys: pytest.CaptureFixture[str], *arguments: str, folder: Path) -> str:
    assert present.main(list(arguments), models=folder) == 1
    return capsys.readouterr().err


def start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(StartRefused) as refused:
        settings.load()
    return refused.value.message


def checked(name: str, folder: Path, **change: object) -> str:
    """Return what preflight says about one thing."""
    site = preflight.Site("extract", "127.0.0.1", 0, folder / "models", folder / "secrets", "", {})
    for field, value in change.items():
        object.__setattr__(site, field, value)
    (line,) = [line for line in preflight.run(site) if line.name == name]
    return line.reason or ""


def engine(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Put programs in the way that answer ``answer``, or fail where it is empty."""
    folder.mkdir(exist_ok=True)
    for program in ("docker", "nvidia-smi"):
        (folder / program).write_text(f"#!/bin/sh\n[ -n '{answer}' ] && [ \"$2\" != ps ] && echo '{answer}'\n")
        (folder / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def bundle(folder: Path, *, key: str) -> str:
    """Load a bundle of one file, which was changed after it was signed."""
    openssl = require("openssl")
    for name in ("release", "stranger"):
        subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", folder / name], check=True)
        subprocess.run([openssl, "pkey", "-in", folder / name, "-pubout", "-out", folder / f"{name}.pub"], check=True)
    made = folder / "bundle"
    made.mkdir()
    (made / "bundle.json").write_text("{}")
    sums = subprocess.run([require("sha256sum"), "bundle.json"], cwd=made, capture_output=True, check=True).stdout
    (made / "SHA256SUMS").write_bytes(sums)
    subprocess.run(
        [openssl, "pkeyutl", "-sign", "-rawin", "-inkey", folder / "release", "-in", "SHA256SUMS", "-out", "SHA256SUMS.sig"],
        cwd=made, check=True,
    )  # fmt: skip
    (made / "bundle.json").write_text("{ }")
    shutil.copy(ROOT / "src/atoll/ops/bundle/load.sh", made.parent)
    command = ["sh", str(folder / "load.sh"), "--bundle", str(made), "--verify", str(folder / f"{key}.pub")]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


@pytest.fixture
def messages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[[], str]]:
    """Return what makes each message appear."""
    secrets = tmp_path / "secrets"
    stack_secrets.write(secrets, owner_key="atoll_a_b")
    (tmp_path / "links").mkdir()

    def said(name: str, answer: str, **change: object) -> str:
        engine(tmp_path / "bin", monkeypatch, answer)
        return checked(name, tmp_path, **change)

    def closed() -> str:
        (secrets / "pepper").chmod(0o600)
        return said("secrets", "")

    def opened() -> str:
        secrets.chmod(0o755)
        return said("secrets", "")

    def port() -> str:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            return said("port", "", port=taken.getsockname()[1])

    absent = "--folder=ATOLL_EMBEDDINGS__MODEL_DIR=/models/absent"
    return {
        "is not loopback and there is no certificate": lambda: script("edge/edge.sh", ATOLL_EDGE__BIND="0.0.0.0"),
        "the model file /models/absent.gguf is absent": lambda: script("chat/llama.sh", CHAT_MODEL_FILE="absent.gguf"),
        "the model folder /models/absent is absent": lambda: script("chat/vllm.sh", CHAT_MODEL_FILE="absent"),
        "ATOLL_EMBEDDINGS__MODEL_DIR: the model folder /models/absent is absent": lambda: models(
            capsys, absent, folder=tmp_path
        ),
        "holds no .safetensors file": lambda: models(capsys, f"--folder=X={tmp_path / 'links'}", folder=tmp_path),
        "ATOLL_CHAT__MODEL_FILE is not set": lambda: models(capsys, "--chat=", folder=tmp_path),
        "is not a setting of Atoll": lambda: start(monkeypatch, "ATOLL_GATEWAY__PROT", "8000"),
        "is empty or a placeholder": lambda: start(monkeypatch, "ATOLL_LOG_LEVEL", ""),
        "no container engine answers": lambda: said("engine", ""),
        "is older than 25.0.5": lambda: said("engine", "24.0.9"),
        "others may enter": opened,
        "containers cannot read pepper": closed,
        "Address already in use": port,
        "no GPU is seen": lambda: said("gpu", "", profile="gpu"),
        "SHA256SUMS.sig is no signature of SHA256SUMS": lambda: bundle(tmp_path, key="stranger"),
        "changed: bundle.json": lambda: bundle(tmp_path, key="release"),
    }


def test_there_are_rows_enough() -> None:
    assert len(ROWS) >= 9


@pytest.mark.parametrize("row", ROWS)
def test_the_message_appears_with_its_advice(row: str, messages: dict[str, Callable[[], str]]) -> None:
    message = messages[row]()
    assert row in message, message
    advice = _CODE.findall(ROWS[row])[0]
    assert advice in message, (advice, message)
