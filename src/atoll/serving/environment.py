"""Process environment of a model server, set before torch and the Hugging Face libraries load."""

from __future__ import annotations

from collections.abc import Mapping


def process_environment(threads_per_worker: int) -> Mapping[str, str]:
    """Return the variables that must be in place before the first ``import torch``.

    OpenMP reads its variables once, when its library is loaded. Waiting threads sleep instead of spinning: with
    the default, one busy neighbour on the machine costs most of the throughput. The hub variables close every
    path by which a library would look for files elsewhere.
    """
    return {
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        "OMP_NUM_THREADS": str(threads_per_worker),
        "MKL_NUM_THREADS": str(threads_per_worker),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DO_NOT_TRACK": "1",
    }
