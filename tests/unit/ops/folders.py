"""Small model folders with real headers, for tests of the lock."""

from __future__ import annotations

import json
import struct
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def safetensors(header: dict | None = None, *, values: bytes = b"\x01\x02\x03\x04" * 8) -> bytes:
    """A file of two tensors that fill its buffer, or one with ``header``."""
    half = len(values) // 2
    if header is None:
        header = {
            "__metadata__": {"format": "pt"},
            "b": {"dtype": "F32", "shape": [half // 4], "data_offsets": [half, len(values)]},
            "a": {"dtype": "F32", "shape": [half // 4], "data_offsets": [0, half]},
        }
    raw = json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + values


def gguf(*, magic: bytes = b"GGUF", version: int = 3, tensors: int = 1, pairs: int = 1, rest: int = 200) -> bytes:
    """The fixed part of a GGUF file and ``rest`` bytes."""
    return struct.pack("<4sIQQ", magic, version, tensors, pairs) + bytes(rest)


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def model(folder: Path, **more: bytes) -> Path:
    """A folder with weights, configuration and a licence."""
    return write(
        folder,
        {
            "model.safetensors": safetensors(),
            "config.json": b'{"hidden_size": 4}',
            "1_Pooling/config.json": b"{}",
            "LICENSE": b"Apache License",
            **{name.replace("__", "."): content for name, content in more.items()},
        },
    )


def hub_cache(root: Path) -> Path:
    """A hub cache's snapshot: links into blobs that are named by hash. Returns the snapshot's folder."""
    repository = root / "models--acme--tiny"
    blobs, snapshot = repository / "blobs", repository / "snapshots" / COMMIT
    (snapshot / "1_Pooling").mkdir(parents=True)
    write(blobs, {"aa11": safetensors(), "bb22": b"{}"})
    (snapshot / "model.safetensors").symlink_to("../../blobs/aa11")
    (snapshot / "config.json").symlink_to("../../blobs/bb22")
    (snapshot / "1_Pooling" / "config.json").symlink_to("../../../blobs/bb22")
    return snapshot
