"""Vocabularies of tiktoken: fetched once, under both names, checked without a network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from atoll.cli.main import cli
from atoll.ops import tokenizers
from atoll.ops.models import ModelRefused
from atoll.ops.tokenizers import Vocabulary

_CONTENT = b"IQ== 0\nIg== 1\n"
SMALL = Vocabulary("small_base", hashlib.sha256(_CONTENT).hexdigest())
_ELSEWHERE = "http://mirror.example.test/encodings/"


class Published:
    """What answers under an address, and what was asked for."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, address: str) -> bytes:
        self.asked.append(address)
        return self.content


def test_a_vocabulary_is_fetched_once_and_lies_under_both_names(tmp_path: Path) -> None:
    folder, published = tmp_path / "models" / "tokenizers", Published(_CONTENT)
    assert tokenizers.pull(folder, [SMALL], source=_ELSEWHERE, fetch=published) == ["small_base"]
    assert published.asked == ["http://mirror.example.test/encodings/small_base.tiktoken"]
    assert {path.name for path in folder.iterdir()} == set(SMALL.places)
    assert tokenizers.faults(folder, [SMALL]) == []
    assert tokenizers.pull(folder, [SMALL], source=_ELSEWHERE, fetch=published) == []
    assert len(published.asked) == 1


def test_the_names_are_those_that_tiktoken_and_vllm_look_for() -> None:
    """tiktoken keeps a file under the SHA-1 of its address; these two are in the folders that people carry about."""
    assert {vocabulary.name: vocabulary.places for vocabulary in tokenizers.KNOWN} == {
        "o200k_base": ("o200k_base.tiktoken", "fb374d419588a4632f3f557e76b4b70aebbca790"),
        "cl100k_base": ("cl100k_base.tiktoken", "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"),
    }


def test_what_is_not_the_vocabulary_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="its SHA-256 differs"):
        tokenizers.pull(tmp_path / "into", [SMALL], source=_ELSEWHERE, fetch=Published(b"<html>"))
    assert not (tmp_path / "into").exists()


def test_a_changed_one_is_brought_again(tmp_path: Path) -> None:
    published = Published(_CONTENT)
    tokenizers.pull(tmp_path, [SMALL], source=_ELSEWHERE, fetch=published)
    (tmp_path / SMALL.places[1]).write_bytes(_CONTENT + b"\n")
    (fault,) = tokenizers.faults(tmp_path, [SMALL])
    assert (fault.path, fault.kind) == (SMALL.places[1], "checksum")
    assert tokenizers.pull(tmp_path, [SMALL], source=_ELSEWHERE, fetch=published) == ["small_base"]
    assert tokenizers.faults(tmp_path, [SMALL]) == []


@pytest.mark.parametrize(
    ("source", "said"), [("http://127.0.0.1:9/e", "needs a connected machine"), ("file:///etc", "begins with https://")]
)
def test_what_cannot_be_fetched_is_one_line(tmp_path: Path, source: str, said: str) -> None:
    command = [sys.executable, "-m", "atoll.cli.main", "tokenizers", "pull", "--into", str(tmp_path), "--from", source]
    done = subprocess.run(
        command, env={**os.environ, "no_proxy": "*"}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert said in done.stderr


def test_verify_says_what_is_absent_and_what_is_changed(tmp_path: Path) -> None:
    def verify(*names: str) -> tuple[int, list[dict[str, str]]]:
        done = CliRunner().invoke(cli, ["tokenizers", "verify", *names, "--into", str(tmp_path), "--json"])
        return done.exit_code, json.loads(done.stdout)["faults"]

    code, faults = verify("o200k_base")
    assert (code, [fault["kind"] for fault in faults]) == (1, ["absent", "absent"])
    (tmp_path / "o200k_base.tiktoken").write_bytes(_CONTENT)
    code, faults = verify()
    assert code == 4
    assert [fault["kind"] for fault in faults] == ["checksum", "absent", "absent", "absent"]
    assert "atoll tokenizers pull" in faults[0]["reason"]
