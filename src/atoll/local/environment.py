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

#: Ends of the names of settings that are a secret, and of those that name the file of one.
_VALUES = ("API_KEY", "PASSWORD", "TOKEN", "SECRET")
_FILES = ("KEY_FILE", "PASSWORD_FILE", "TOKEN_FILE", "PEPPER_FILE")


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


def shown(settings: Settings) -> dict[str, str]:
    """Return what the operator set, for others to read: a secret is named and its value left out."""
    return {
        name: "[set]" if _is_secret(name) else _text(value)
        for name, value in _flatten(settings, PREFIX)
        if value is not None
    }


def secret_values(settings: Settings) -> list[str]:
    """Return the values of settings that are secrets themselves."""
    return [str(value) for name, value in _flatten(settings, PREFIX) if value is not None and _is_secret(name)]


def secret_files(settings: Settings) -> list[Path]:
    """Return the files that settings name as those of a secret."""
    return [value for name, value in _flatten(settings, PREFIX) if isinstance(value, Path) and name.endswith(_FILES)]


def _is_secret(name: str) -> bool:
    return name.endswith(_VALUES)
