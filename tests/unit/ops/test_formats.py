from __future__ import annotations

import os
import struct

import pytest

from atoll.ops.models import Kind, ModelRefused, check_folder, formats
from atoll.ops.models.verify import check_formats
from tests.unit.ops import folders

PICKLES = ["pytorch_model.bin", "a.pt", "a.pth", "a.ckpt", "a.pkl", "a.pickle", "a.joblib", "a.h5", "a.npy", "A.BIN"]
CODE = ["modeling.py", "kernel.so"]
ARCHIVES = ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.7z", "a.zst"]
UNKNOWN = ["model.onnx", "photo.png", "weights", ".hidden", "a.json.exe", "rust_model.ot"]


@pytest.mark.parametrize("name", [*PICKLES, *CODE, *ARCHIVES, *UNKNOWN])
def test_every_other_format_is_refused_by_name(tmp_path, name):
    folders.model(tmp_path)
    folders.write(tmp_path, {f"sub/{name}": b"x"})
    with pytest.raises(ModelRefused, match=name.replace(".", r"\.")):
        check_folder(tmp_path, None)


@pytest.mark.parametrize("name", ["vocab.txt", "spm.model", "chat_template.jinja", "README.md", "NOTICE", "w.gguf"])
def test_what_models_consist_of_is_allowed(tmp_path, name):
    folders.model(tmp_path)
    folders.write(tmp_path, {name: folders.gguf()})
    check_folder(tmp_path, None)


def test_what_fetching_programs_leave_behind_is_no_part_of_a_model(tmp_path):
    folders.model(tmp_path)
    folders.write(tmp_path, {".gitattributes": b"x", ".cache/huggingface/download/pytorch_model.bin.lock": b""})
    check_folder(tmp_path, None)
    assert [path for path, _ in formats.walk(tmp_path)] == [
        "1_Pooling/config.json",
        "LICENSE",
        "config.json",
        "model.safetensors",
    ]


def test_bookkeeping_is_only_what_the_hub_program_writes(tmp_path):
    folders.model(tmp_path)
    folders.write(tmp_path, {"sub/.cache/huggingface/evil.bin": b"x"})
    with pytest.raises(ModelRefused, match=r"evil\.bin"):
        check_folder(tmp_path, None)


def test_links_into_a_hub_cache_are_judged_by_what_they_lead_to(tmp_path):
    snapshot = folders.hub_cache(tmp_path)
    check_folder(snapshot, None)
    (snapshot / "more.json").symlink_to("../../blobs/gone")
    assert _one(snapshot) == ("more.json", Kind.UNREADABLE)
    (snapshot / "more.json").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"x")
    (snapshot / "other.safetensors").symlink_to(tmp_path / "pytorch_model.bin")
    assert _one(snapshot) == ("other.safetensors", Kind.FORMAT)


def test_a_link_to_a_folder_or_to_itself_is_refused(tmp_path):
    folder = folders.model(tmp_path / "model")
    (folder / "elsewhere").symlink_to(tmp_path)
    assert _one(folder) == ("elsewhere", Kind.FORMAT)
    (folder / "elsewhere").unlink()
    (folder / "loop.json").symlink_to("loop.json")
    assert _one(folder) == ("loop.json", Kind.UNREADABLE)


def test_a_pipe_is_refused_and_not_read(tmp_path):
    folders.model(tmp_path)
    os.mkfifo(tmp_path / "pipe.json")
    assert _one(tmp_path) == ("pipe.json", Kind.FORMAT)


def _tensor(begin: object, end: object) -> dict:
    return {"a": {"dtype": "F32", "shape": [1], "data_offsets": [begin, end]}}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"1234", "too short"),
        (struct.pack("<Q", 100_000_001) + bytes(64), "does not fit"),
        (struct.pack("<Q", 65) + bytes(64), "does not fit"),
        (struct.pack("<Q", 4) + b"nope", "not JSON"),
        (struct.pack("<Q", 2) + b"[]", "not an object"),
        (folders.safetensors()[:-1], "cut short"),
        (folders.safetensors() + b"\0", "behind its last tensor"),
        (folders.safetensors(_tensor(0, 33)), "outside the file"),
        (folders.safetensors(_tensor(-4, 32)), "outside the file"),
        (folders.safetensors(_tensor(32, 0)), "outside the file"),
        (folders.safetensors(_tensor("0", 32)), "outside the file"),
        (folders.safetensors({"a": 3}), "outside the file"),
        (folders.safetensors(_tensor(4, 32)), "gap"),
        (folders.safetensors({**_tensor(0, 32), "b": {"data_offsets": [0, 32]}}), "overlap"),
    ],
)
def test_a_damaged_safetensors_file_is_named(tmp_path, content, said):
    folders.model(tmp_path, model__safetensors=content)
    with pytest.raises(ModelRefused, match=rf"model\.safetensors .*{said}"):
        check_folder(tmp_path, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GGUF\3", "too short"),
        (folders.gguf(magic=b"GGML"), "magic"),
        (folders.gguf(version=1), "version 1"),
        (folders.gguf(version=3 << 24), "version"),
        (folders.gguf(tensors=0), "announces 0 tensors"),
        (folders.gguf(tensors=1000), "cannot be"),
        (folders.gguf(pairs=2**63), "cannot be"),
    ],
)
def test_a_damaged_gguf_file_is_named(tmp_path, content, said):
    folders.write(tmp_path, {"chat.gguf": content})
    with pytest.raises(ModelRefused, match=rf"chat\.gguf .*{said}"):
        check_folder(tmp_path, None)


def _one(folder):
    (fault,) = check_formats(folder)
    return fault.path, fault.kind
