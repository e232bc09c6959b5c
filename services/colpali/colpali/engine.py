"""colpali-engine, imported on machines whose torchvision is absent or made for another build of torch."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from types import ModuleType
from typing import Any

import torch

#: Operators that torchvision's Python side refers to at import; nothing here calls them.
_OPERATORS = ("nms", "qnms")
#: colpali-engine takes one function from the first module, which needs torchvision; the second has it too.
_NEEDS_TORCHVISION = "transformers.models.qwen2_vl.image_processing_qwen2_vl"
_PILLOW_TWIN = "transformers.models.qwen2_vl.image_processing_pil_qwen2_vl"

_log = logging.getLogger(__name__)
_libraries: Any = torch.library  # untyped
#: A library lives as long as the object that declared it.
_declared: list[object] = []


def import_models() -> tuple[ModuleType, bool]:
    """Return ``colpali_engine.models``, and whether torchvision is there (the Qwen families need it).

    Without torchvision transformers' Pillow image processors are used, which give the same pixels to within 1e-6.
    """
    has_torchvision = importlib.util.find_spec("torchvision") is not None
    if has_torchvision:
        _import_torchvision()
    else:
        sys.modules[_NEEDS_TORCHVISION] = importlib.import_module(_PILLOW_TWIN)
    return importlib.import_module("colpali_engine.models"), has_torchvision


def _import_torchvision() -> None:
    """Import torchvision; a wheel whose compiled part does not load still has its image functions, in Python."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        _log.info("torchvision's compiled operators do not load (%s); its Python functions are used", error)
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = _libraries.Library("torchvision", "DEF")
        for operator in _OPERATORS:
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        importlib.import_module("torchvision")
