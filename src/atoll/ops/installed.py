"""Whether what is installed here is whole: the interpreter, the packages of the locks, programs, the default models."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from atoll.ops.preflight import Line

_OLDEST, _NEXT = (3, 11), (3, 14)
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
_REMEDY = "run `make setup`, or install the lock files again"
#: Module -> what it is, for the roles that the local stack starts.
_ROLES = ("gateway", "ingestion", "parser", "embeddings", "colpali")
_SHOWN = 5


def check(locks: list[Path], *, queue_server: Callable[[], Path], model: Callable[[], object]) -> list[Line]:
    """Return a line for each part.

    Args:
        locks: lock files of this checkout; none where only packages are installed.
        queue_server: returns the queue's program or raises, with a line that says what to do.
        model: returns when the default embedding model is there and raises otherwise.
    """
    return [
        Line("python", _python()),
        Line("packages", _packages(locks) if locks else _requirements()),
        Line("torch", None if find_spec("torch") else f"torch is not installed; {_REMEDY}"),
        Line("roles", _roles()),
        Line("queue", _said(queue_server)),
        Line("model", _said(model)),
    ]


def _python() -> str | None:
    if _OLDEST <= sys.version_info[:2] < _NEXT:
        return None
    return f"Python {sys.version.split()[0]} runs here; Atoll wants 3.11 to 3.13: make setup PYTHON=python3.12"


def _packages(locks: list[Path]) -> str | None:
    pinned: Mapping[str, str] = {
        name: version for lock in locks for name, version in _PINNED.findall(lock.read_text(encoding="utf-8"))
    }
    wrong = []
    for name, version in sorted(pinned.items()):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if found.partition("+")[0] != version.partition("+")[0]:
            wrong.append(f"{name} is {found} instead of {version}")
    return _told(wrong)


def _requirements() -> str | None:
    """Compare with what the installed package itself asks for, extras left out."""
    missing = []
    for line in metadata.requires("atoll") or []:
        name = re.split(r"[\s;\[<>=!~(]", line, maxsplit=1)[0]
        if "extra ==" in line:
            continue
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(f"{name} is missing")
    return _told(missing)


def _told(wrong: list[str]) -> str | None:
    if not wrong:
        return None
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return f"{', '.join(wrong[:_SHOWN])}{more}; {_REMEDY}"


def _roles() -> str | None:
    missing = [name for name in _ROLES if find_spec(name) is None]
    return f"{', '.join(missing)} cannot be imported; {_REMEDY}" if missing else None


def _said(look: Callable[[], object]) -> str | None:
    try:
        look()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it is what the line has to say
        return str(error).splitlines()[0]
    return None
