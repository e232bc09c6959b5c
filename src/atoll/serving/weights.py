"""The weight files of a model folder: which there are, whether they may be read, what they hash to."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atoll.errors import StartRefused
from atoll.ops.models import ModelRefused, check_folder

_HASH_BLOCK_BYTES = 1 << 20


def weights(folder: Path) -> list[Path]:
    """Return every weight file, sorted by its path inside the folder."""
    return sorted(folder.rglob("*.safetensors"))


def require_safetensors(folder: Path, *, lock_file: Path | None = None, full: bool = False) -> None:
    """Check that a model folder is as locked, or without a lock file that it holds allowed formats, and has weights.

    Raises:
        StartRefused: naming the file that is absent, changed, damaged or in a format that can run code.
    """
    try:
        check_folder(folder, lock_file, full=full)
    except ModelRefused as refused:
        raise StartRefused(refused.message) from refused
    if not weights(folder):
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
