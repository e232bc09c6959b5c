"""Whether the models that a stack is to start with are there: ``python -m atoll.ops.models.present``.

Runs once before the model servers, so that a missing model is one line and not a server that starts for ever.
``--folder NAME=PATH`` and ``--chat FILE`` may be empty: then nothing is needed for that role, or, for chat, the
profile without a chat model is the right one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from atoll.ops.models.formats import header_fault

#: Where Compose mounts ATOLL_COMPOSE__MODELS_DIR.
MODELS = Path("/models")
_REMEDY = (
    "copy it into ATOLL_COMPOSE__MODELS_DIR, or fetch it on a connected machine with "
    "`docker compose --profile pull run --rm models-pull`"
)


def absent_folder(setting: str, folder: str) -> str | None:
    """Return why the folder that ``setting`` names will not do, or None when it will or none is named."""
    if not folder:
        return None
    path = Path(folder)
    if not path.is_dir():
        return f"{setting}: the model folder {path} is absent; {_REMEDY}"
    if not any(path.rglob("*.safetensors")):
        return f"{setting}: {path} holds no .safetensors file; {_REMEDY}"
    return None


def absent_chat(file: str, models: Path) -> str | None:
    """Return why the chat model will not do, or None when it will."""
    if not file:
        return "ATOLL_CHAT__MODEL_FILE is not set; name a model of ATOLL_COMPOSE__MODELS_DIR or use the profile extract"
    path = models / file
    if not path.exists():
        return f"ATOLL_CHAT__MODEL_FILE: {path} is absent; {_REMEDY}"
    fault = header_fault(path.name, path) if path.is_file() else None
    return None if fault is None else f"ATOLL_CHAT__MODEL_FILE: {path} {fault.reason}"


def main(arguments: list[str] | None = None, *, models: Path = MODELS) -> int:
    """Look, say what is missing, a line each, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m atoll.ops.models.present")
    parser.add_argument("--folder", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--chat", metavar="FILE")
    chosen = parser.parse_args(arguments)
    pairs = [pair.partition("=") for pair in chosen.folder]
    reasons = [absent_folder(name, path) for name, _, path in pairs]
    if chosen.chat is not None:
        reasons.append(absent_chat(chosen.chat, models))
    missing = [reason for reason in reasons if reason is not None]
    sys.stderr.writelines(f"{reason}\n" for reason in missing)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
