"""Stage outputs in a document's own folder: written whole or not at all, keyed by what made them.

A key covers the stage's configuration and the key of the artefact it was made from, so that a stage that runs again
under the same configuration finds its output and calls no model.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from atoll import files


def key(*parts: object) -> str:
    """Return a short name for a configuration."""
    return hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).hexdigest()


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, synced."""
    # Named tuples are the one kind of value that orjson leaves to us.
    write_bytes(path, orjson.dumps(value, default=list))


def read_json(path: Path) -> object:
    """Read what ``write_json`` wrote."""
    value: object = orjson.loads(path.read_bytes())
    return value


def write_vectors(path: Path, vectors: NDArray[np.float16]) -> None:
    """Write rows of fp16, synced; the shape stands in the first eight bytes."""
    shape = np.asarray(vectors.shape, dtype="<u4")
    write_bytes(path, shape.tobytes() + np.ascontiguousarray(vectors, dtype="<f2").tobytes())


def read_vectors(path: Path) -> NDArray[np.float16]:
    """Read what ``write_vectors`` wrote."""
    content = path.read_bytes()
    rows, columns = np.frombuffer(content[:8], dtype="<u4")
    return np.frombuffer(content[8:], dtype="<f2").reshape(int(rows), int(columns)).astype(np.float16)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, synced."""
    # Not with parents: the folder of a document that was removed meanwhile must not come back.
    path.parent.mkdir(exist_ok=True)
    # An attempt that was killed may have left its draft; one that still runs elsewhere has lost its lease.
    files.sweep_drafts(path)
    files.write(path, content)
