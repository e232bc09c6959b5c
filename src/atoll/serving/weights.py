"""The weight files of a model folder: which there are, whether they may be read, what they hash to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atoll.errors import StartRefused

#: Formats that can run code when they are read.
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".msgpack")
_HASH_BLOCK_BYTES = 1 << 20


def weights(folder: Path) -> list[Path]:
    """Return every weight file, sorted by its path inside the folder."""
    return sorted(folder.rglob("*.safetensors"))


def require_safetensors(folder: Path) -> None:
    """Check that every folder inside with weights has them as safetensors.

    Raises:
        StartRefused: there are none, or only in a format that can run code.
    """
    safe = {path.parent for path in weights(folder)}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _PICKLES and path.parent not in safe:
            raise StartRefused(f"{path} is a pickle format that can run code; convert it to safetensors")
    if not safe:
        raise StartRefused(f"{folder} holds no *.safetensors weights; bring the model in that format")


def weights_sha256(folder: Path) -> str:
    """Return the SHA-256 of the weight file; of ``<digest>  <path>`` lines where there are several."""
    digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in weights(folder)}
    if len(digests) == 1:
        return next(iter(digests.values()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256(listing.encode()).hexdigest()


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
