"""What a role of the local stack finds in its environment: the operator's settings, and nothing that looks outside."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from atoll.settings import NESTING, PREFIX, Settings, inherited

#: Nothing in the stack may look for a network or tell anybody anything (P1).
SILENCE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
#: Idle compute threads sleep instead of spinning: one busy neighbour otherwise costs most of the throughput.
QUIET_THREADS = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}


def plain(folder: Path) -> dict[str, str]:
    """Return what every process gets, whatever it is; ``folder`` is the data directory."""
    return {
        **inherited(),
        **SILENCE,
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def exported(settings: Settings) -> dict[str, str]:
    """Return what the operator set as environment variables, paths made absolute, without the command line's key."""
    chosen = {name: value for name, value in _flatten(settings, PREFIX) if value is not None}
    return {name: _text(value) for name, value in chosen.items() if name != f"{PREFIX}API_KEY"}


def _flatten(section: BaseModel, prefix: str) -> Iterator[tuple[str, object]]:
    for name in sorted(section.model_fields_set):
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _flatten(value, f"{prefix}{name.upper()}{NESTING}")
        else:
            yield f"{prefix}{name.upper()}", value


def _text(value: object) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return StrEnum.__str__(value) if isinstance(value, StrEnum) else str(value)
