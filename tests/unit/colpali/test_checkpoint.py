from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from pathlib import Path

import pytest

from atoll.errors import StartRefused
from atoll.ops.models import lock
from atoll.ops.models.catalog import Role
from colpali import checkpoint
from colpali.checkpoint import Layout, find


@pytest.fixture(autouse=True)
def engine_is_installed(monkeypatch):
    spec = importlib.util.find_spec("numpy")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


def weight_file(path: Path) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))


def folder(path: Path, **config: object) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps(config))
    weight_file(path / "model.safetensors")
    return path


def found(path: Path | None, **knobs) -> checkpoint.Checkpoint:
    return find(path, **{"longest_edge": None, "max_tiles": None, **knobs})


@pytest.mark.parametrize(
    ("config", "model", "layout"),
    [
        ({"architectures": ["ColPali"], "model_type": "paligemma"}, "ColPali", Layout.SQUARE),
        ({"architectures": ["ColIdefics3"]}, "ColIdefics3", Layout.TILES),
        ({"architectures": ["ColModernVBert"]}, "ColModernVBert", Layout.TILES),
        ({"architectures": ["ColQwen2"]}, "ColQwen2", Layout.PATCHES),
        (
            {"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl"},
            "ColQwen2_5",
            Layout.PATCHES,
        ),
        ({"model_type": "idefics3"}, "ColIdefics3", Layout.TILES),
    ],
)
def test_the_folder_s_own_config_names_the_family(tmp_path, config, model, layout):
    family = found(folder(tmp_path / "m", **config)).family
    assert (family.model, family.layout) == (model, layout)


def test_an_adapter_brings_the_model_it_changes(tmp_path):
    adapter = tmp_path / "adapter"
    folder(adapter / "base", architectures=["ColIdefics3"])
    (adapter / "adapter_config.json").write_text("{}")
    with pytest.raises(StartRefused, match=r"adapter_model\.safetensors is absent"):
        found(adapter)
    weight_file(adapter / "adapter_model.safetensors")
    chosen = found(adapter)
    assert (chosen.adapter, chosen.weights) == (adapter, adapter / "base")


def test_an_adapter_without_its_base_is_refused_with_the_place(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    weight_file(tmp_path / "adapter_model.safetensors")
    with pytest.raises(StartRefused, match=r"base/config\.json is absent.*folder base/"):
        found(tmp_path)


@pytest.mark.parametrize(
    ("knobs", "architecture", "said"),
    [
        ({"max_tiles": 5}, "ColQwen2", "does not cut pages into tiles"),
        ({"longest_edge": 1024}, "ColPali", "reads one size only"),
    ],
)
def test_a_knob_that_would_do_nothing_is_refused(tmp_path, knobs, architecture, said):
    with pytest.raises(StartRefused, match=said):
        found(folder(tmp_path / "m", architectures=[architecture]), **knobs)


def test_what_is_missing_or_wrong_is_named(tmp_path):
    with pytest.raises(StartRefused, match="ATOLL_PAGES__MODEL_DIR"):
        found(None)
    with pytest.raises(StartRefused, match="absent"):
        found(tmp_path / "nowhere")
    with pytest.raises(StartRefused, match="names no family"):
        found(folder(tmp_path / "bert", architectures=["BertModel"], model_type="bert"))
    (tmp_path / "bert" / "config.json").write_text("{")
    with pytest.raises(StartRefused, match=r"config\.json"):
        found(tmp_path / "bert")
    pickled = folder(tmp_path / "pickled", architectures=["ColPali"])
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(StartRefused, match=r"pytorch_model\.bin"):
        found(pickled)


def test_without_colpali_engine_the_refusal_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StartRefused, match=r"requirements-colpali\.lock"):
        found(tmp_path)


def test_one_changed_byte_is_a_refusal_that_names_the_file(tmp_path):
    model = folder(tmp_path / "tiny", architectures=["ColPali"])
    files = tuple(
        lock.LockedFile(path.name, path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(model.iterdir())
    )
    entry = lock.LockedModel(
        name="tiny",
        role=Role.PAGES,
        folder="tiny",
        repository="acme/tiny",
        revision="a" * 40,
        package=None,
        license="Apache-2.0",
        format="safetensors",
        base=None,
        files=files,
    )
    lock.write(tmp_path / "models.lock.json", [entry])
    assert found(model, lock_file=tmp_path / "models.lock.json", full=True).name == "tiny"
    content = bytearray((model / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (model / "model.safetensors").write_bytes(content)
    with pytest.raises(StartRefused, match=r"model\.safetensors"):
        found(model, lock_file=tmp_path / "models.lock.json", full=True)
