"""`atoll models` and the start of a server, as processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.ops import folders

CATALOG = Path(__file__).resolve().parents[3] / "models" / "catalog.toml"
SOURCE = ("--role", "embedding", "--repo", "acme/tiny", "--revision", folders.COMMIT, "--license", "Apache-2.0")


def _run(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        check=False,
        cwd=cwd,
        env={**kept, **settings},
        capture_output=True,
        text=True,
        timeout=60,
    )


def _models(*arguments: str, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return _run("atoll.cli.main", "models", *arguments, cwd=cwd, **settings)


@pytest.fixture
def site(tmp_path):
    """A working directory with one locked model."""
    folders.model(
        tmp_path / "models" / "tiny",
        modules__json=b"[]",
        tokenizer__json=b"{}",
        config_sentence_transformers__json=b"{}",
    )
    shutil.copy(CATALOG, tmp_path / "models")
    done = _models("lock", "models/tiny", *SOURCE, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "locked tiny: 7 files" in done.stdout
    return tmp_path


def test_verify_ends_with_0_1_2_and_4(site):
    weights = site / "models" / "tiny" / "model.safetensors"
    content = weights.read_bytes()
    assert _models("verify", "--full", cwd=site).returncode == 0
    assert _models("verify", "nobody", cwd=site).returncode == 1
    assert _models("verify", "--loud", cwd=site).returncode == 2

    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert _models("verify", cwd=site).returncode == 0
    done = _models("verify", "--full", cwd=site)
    assert done.returncode == 4
    assert "tiny: model.safetensors has changed" in done.stderr

    weights.write_bytes(content[:-1])
    done = _models("verify", "--json", cwd=site)
    assert done.returncode == 1
    body = json.loads(done.stdout)
    assert (body["ok"], body["mode"]) == (False, "fast")
    assert [(fault["path"], fault["kind"]) for fault in body["models"][0]["faults"]] == [("model.safetensors", "size")]
    assert _models("verify", "--full", cwd=site).returncode == 4

    shutil.rmtree(weights.parent)
    done = _models("verify", cwd=site)
    assert done.returncode == 1
    assert "is absent" in done.stderr


def test_a_lock_of_nothing_does_not_verify(tmp_path):
    (tmp_path / "empty.json").write_text('{"version": 1, "models": []}')
    done = _models("verify", "--lock-file", "empty.json", cwd=tmp_path)
    assert done.returncode == 1
    assert "nothing to verify" in done.stderr


def test_lock_names_what_it_refuses_and_keeps_the_lock(site):
    before = (site / "models" / "models.lock.json").read_bytes()
    folders.model(site / "models" / "other", pytorch_model__bin=b"x")
    done = _models("lock", "models/tiny", "models/other", *SOURCE, cwd=site)
    assert done.returncode == 1
    assert "pytorch_model.bin" in done.stderr
    done = _models("lock", "models/tiny", "--role", "chat", "--repo", "acme/tiny", "--license", "MIT", cwd=site)
    assert done.returncode == 1
    assert "--revision" in done.stderr
    done = _models("lock", str(folders.model(site / "outside")), *SOURCE, cwd=site)
    assert done.returncode == 1
    assert "copy or mount it there" in done.stderr
    assert (site / "models" / "models.lock.json").read_bytes() == before


def test_a_hub_cache_tells_name_repository_and_commit(site):
    snapshot = folders.hub_cache(site / "models")
    done = _models(
        "lock", str(snapshot), "--role", "reranker", "--license", "MIT", "--name", "ranker", "--json", cwd=site
    )
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)["models"]
    assert (entry["name"], entry["repository"], entry["revision"]) == ("ranker", "acme/tiny", folders.COMMIT)
    assert _models("verify", "--full", cwd=site).returncode == 0


def test_an_adapter_is_locked_after_its_base(site):
    adapter = folders.write(site / "models" / "adapter", {"adapter_model.safetensors": folders.safetensors()})
    folders.model(adapter / "base")
    source = ("--role", "pages", "--license", "Apache-2.0")
    assert _models("lock", "models/adapter", "--base", "adapter-base", *source, cwd=site).returncode == 1
    assert _models("lock", "models/adapter/base", "--name", "adapter-base", *source, cwd=site).returncode == 0
    assert _models("lock", "models/adapter", "--base", "adapter-base", *source, cwd=site).returncode == 0
    assert _models("verify", "--full", cwd=site).returncode == 0


def test_list_and_licenses_tell_what_is_here_and_what_it_allows(site):
    folders.model(site / "models" / "odd")
    assert _models("lock", "models/odd", "--role", "chat", "--license", "LicenseRef-Odd", cwd=site).returncode == 0
    shutil.rmtree(site / "models" / "odd")
    body = json.loads(_models("list", "--json", cwd=site).stdout)
    assert [(row["name"], row["present"]) for row in body["models"]] == [("odd", False), ("tiny", True)]
    assert {row["role"] for row in body["recommended"]} == {"embedding", "reranker", "pages", "chat"}
    rows = json.loads(_models("licenses", "--json", cwd=site).stdout)["licenses"]
    assert [(row["name"], row["redistribution"]) for row in rows] == [("odd", "unknown"), ("tiny", "yes")]
    assert rows[1]["license_files"] == ["LICENSE"]
    table = _models("list", cwd=site)
    assert table.returncode == 0
    assert "Qwen3-8B-Q4_K_M.gguf" in table.stdout
    assert "LicenseRef-Odd" in _models("licenses", cwd=site).stdout


@pytest.mark.parametrize(
    ("verify", "change", "said"),
    [
        ("fast", lambda content: content[:-1], "model.safetensors has 227 bytes"),
        ("full", lambda content: content[:-1] + b"x", "model.safetensors has changed"),
    ],
)
def test_the_embedding_server_refuses_a_changed_model_by_name(site, verify, change, said):
    weights = site / "models" / "tiny" / "model.safetensors"
    weights.write_bytes(change(weights.read_bytes()))
    done = _embeddings(site, verify)
    assert done.returncode == 1
    assert said.replace("227", str(len(weights.read_bytes()))) in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("verify", ["fast", "off"])
def test_the_embedding_server_refuses_a_pickle_beside_the_weights(site, verify):
    (site / "models" / "tiny" / "pytorch_model.bin").write_bytes(b"x")
    done = _embeddings(site, verify)
    assert done.returncode == 1
    assert "pytorch_model.bin is a pickle" in done.stderr


def _embeddings(site: Path, verify: str) -> subprocess.CompletedProcess[str]:
    return _run(
        "embeddings",
        cwd=site,
        ATOLL_EMBEDDINGS__MODEL_DIR=str(site / "models" / "tiny"),
        ATOLL_MODELS__LOCK_FILE=str(site / "models" / "models.lock.json"),
        ATOLL_MODELS__VERIFY=verify,
    )
