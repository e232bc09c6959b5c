"""A page model's folder on disk: which family it is, and whether it may be loaded. No torch here."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from atoll.errors import StartRefused
from atoll.serving.weights import require_safetensors

#: The folder inside an adapter's folder that holds the model it changes.
BASE = "base"


class Layout(Enum):
    """How a family turns a page into image tokens, and in which order."""

    SQUARE = "the page is squeezed into one square; raster order"
    PATCHES = "as many patches as the page's size gives; raster order"
    TILES = "the page is cut into square tiles, tile after tile, and an overview comes last"


@dataclass(frozen=True, slots=True)
class Family:
    """A model class of colpali-engine, its processor's class, and its layout."""

    model: str
    processor: str
    layout: Layout


_FAMILIES: Mapping[str, Family] = {
    family.model: family
    for family in (
        Family("ColPali", "ColPaliProcessor", Layout.SQUARE),
        Family("ColIdefics3", "ColIdefics3Processor", Layout.TILES),
        Family("ColModernVBert", "ColModernVBertProcessor", Layout.TILES),
        Family("ColQwen2", "ColQwen2Processor", Layout.PATCHES),
        Family("ColQwen2_5", "ColQwen2_5_Processor", Layout.PATCHES),
    )
}
#: For folders whose ``architectures`` name the language model and not the retriever.
_BY_MODEL_TYPE: Mapping[str, str] = {
    "paligemma": "ColPali",
    "idefics3": "ColIdefics3",
    "modernvbert": "ColModernVBert",
    "qwen2_vl": "ColQwen2",
    "qwen2_5_vl": "ColQwen2_5",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is to be loaded. ``adapter`` is the folder of LoRA weights over ``weights``, where there is one.

    ``longest_edge`` and ``max_tiles`` are the price of a page; None leaves the model's own choice.
    """

    name: str
    folder: Path
    family: Family
    weights: Path
    adapter: Path | None
    longest_edge: int | None
    max_tiles: int | None


def find(
    model_dir: Path | None,
    *,
    longest_edge: int | None,
    max_tiles: int | None,
    lock_file: Path | None = None,
    full: bool = False,
) -> Checkpoint:
    """Return the checkpoint in ``model_dir``; ``full`` reads every byte that ``lock_file`` knows.

    Raises:
        StartRefused: colpali-engine or the folder is absent, the folder is incomplete, not as locked, of no known
            family or holds a format that can run code, or the family has no such knob.
    """
    if importlib.util.find_spec("colpali_engine") is None:
        raise StartRefused("colpali-engine is not installed; run 'pip install -r requirements-colpali.lock'")
    if model_dir is None:
        raise StartRefused("ATOLL_PAGES__MODEL_DIR is not set; name a ColPali-family folder under models/")
    if not model_dir.is_dir():
        raise StartRefused(f"the model folder {model_dir} is absent; copy a ColPali-family model there")
    adapter = model_dir if (model_dir / "adapter_config.json").is_file() else None
    weights = model_dir / BASE if adapter else model_dir
    require_safetensors(model_dir, lock_file=lock_file, full=full)
    family = _family(weights)
    if adapter is not None and not (adapter / "adapter_model.safetensors").is_file():
        raise StartRefused(f"{adapter / 'adapter_model.safetensors'} is absent; bring the whole adapter")
    if max_tiles is not None and family.layout is not Layout.TILES:
        raise StartRefused(f"ATOLL_PAGES__MAX_TILES: {family.model} does not cut pages into tiles; remove the setting")
    if longest_edge is not None and family.layout is Layout.SQUARE:
        raise StartRefused(f"ATOLL_PAGES__LONGEST_EDGE: {family.model} reads one size only; remove the setting")
    return Checkpoint(model_dir.name, model_dir, family, weights, adapter, longest_edge, max_tiles)


def _family(folder: Path) -> Family:
    config = _config(folder / "config.json")
    named = [name for name in config.get("architectures") or () if name in _FAMILIES]
    name = named[0] if named else _BY_MODEL_TYPE.get(str(config.get("model_type")))
    if name is None:
        raise StartRefused(
            f"{folder / 'config.json'} names no family that is supported; bring one of {', '.join(_FAMILIES)}"
        )
    return _FAMILIES[name]


def _config(path: Path) -> Mapping[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = f"; an adapter needs the model it changes in its folder {BASE}/" if path.parent.name == BASE else ""
        raise StartRefused(f"{path} is absent; bring the whole model{hint}") from error
    except (OSError, ValueError) as error:
        raise StartRefused(f"{path} cannot be read ({type(error).__name__}); copy it again") from error
    if not isinstance(config, dict):
        raise StartRefused(f"{path} is not a model's configuration; copy it again")
    return config
