"""Whether the secrets of a data directory are closed to other users of the machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from atoll.ops.preflight import Line

_OTHERS = 0o077
#: A name in .env that looks like a secret itself, not like a file that holds one.
_SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|API_KEY|PEPPER)$")


def check(data_dir: Path, *, pepper: Path, keys: tuple[Path, ...], environment: Path) -> list[Line]:
    """Return a line for each place where a secret lies; ``environment`` is Compose's .env file."""
    run_dir = data_dir / "run"
    credentials = sorted(path for path in run_dir.glob("*") if path.suffix in {".password", ".key", ".token", ".conf"})
    return [
        Line("data directory", _folder(data_dir)),
        Line("pepper", _file(pepper, needed=True)),
        *(Line(path.name, _file(path, needed=False)) for path in keys),
        Line("credentials of this start", "; ".join(_reasons(credentials)) or None),
        Line(".env", _plain_secrets(environment)),
    ]


def _folder(path: Path) -> str | None:
    if not path.is_dir():
        return f"{path.absolute()} is absent; run `atoll init`, or set ATOLL_DATA_DIR"
    return _closed(path, "chmod 700")


def _file(path: Path, *, needed: bool) -> str | None:
    if not path.is_file():
        return f"{path.absolute()} is absent; run `atoll init`" if needed else None
    return _closed(path, "chmod 600")


def _reasons(paths: list[Path]) -> Iterator[str]:
    return (reason for path in paths if (reason := _file(path, needed=False)) is not None)


def _closed(path: Path, remedy: str) -> str | None:
    status = path.stat()
    if status.st_uid != os.getuid():
        return f"{path.absolute()} belongs to user {status.st_uid}; run Atoll as that user, or chown it"
    if status.st_mode & _OTHERS:
        return f"{path.absolute()} has mode {status.st_mode & 0o777:o}, others may read it; {remedy} {path.absolute()}"
    return None


def _plain_secrets(path: Path) -> str | None:
    if not path.is_file():
        return None
    names = [line.partition("=")[0].strip() for line in path.read_text(encoding="utf-8").splitlines() if "=" in line]
    found = [name for name in names if not name.startswith("#") and _SECRET_NAME.search(name)]
    return (
        f"{path} holds {', '.join(found)}: put the value into a file and name it by {found[0]}_FILE" if found else None
    )
