"""A copy of this checkout from which all images are built, once, with packages from vendor/wheels and no network.

The copy, because `make wheels` fills a folder of the checkout that all later builds would take packages from.
``python -m tests.compose.built FOLDER`` makes it and needs no engine; COMPOSE_TEST_CHECKOUT then names it to the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.support.stack import ROOT

#: How this machine builds images, as whoever started the tests said; read before the tests forget their environment.
SETTINGS = {name: value for name, value in os.environ.items() if name.startswith("ATOLL_COMPOSE__")}
#: A copy with its wheels that was made before the tests began.
PREPARED = os.environ.get("COMPOSE_TEST_CHECKOUT")
IMAGES = ("gateway", "ingestion", "parser", "embeddings", "colpali")
#: No step of a build may reach a network: packages come from vendor/wheels or not at all.
_SEAL = "sealed.yml"
_SEALED = "services:\n" + "".join(f"  {name}: {{build: {{network: none}}}}\n" for name in IMAGES)
_LEFT_OUT = (
    ".git",
    ".venv*",
    ".atoll",
    ".env",
    ".state",
    "secrets",
    "node_modules",
    "__pycache__",
    ".*_cache",
    "*.whl",
)
_SECONDS = 1200.0


def copy(folder: Path) -> None:
    """Copy what the repository has; what `make setup` installed is used where it lies."""
    shutil.copytree(ROOT, folder, ignore=_left_out, symlinks=True)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / ".state").mkdir()
    now = time.time()
    for stamp in (path for path in (ROOT / ".state").iterdir() if path.is_file()):
        copied = shutil.copy(stamp, folder / ".state")
        os.utime(copied, (now, now))  # none newer than another, so that nothing is installed from here


def _left_out(folder: str, names: list[str]) -> set[str]:
    """Return what is not copied; a built screen is, so that no test builds it once more."""
    bundles = {"dist"} if Path(folder) == ROOT else set()
    return bundles | shutil.ignore_patterns(*_LEFT_OUT)(folder, names)


def prepare(folder: Path) -> None:
    """Copy the checkout and fill vendor/wheels, as a connected machine does."""
    copy(folder)
    run(folder, "make", "wheels")


def build(folder: Path) -> None:
    """Build every image from vendor/wheels, as a machine without a network does."""
    (folder / _SEAL).write_text(_SEALED)
    run(folder, "docker", "compose", "--profile", "extract", "build", *IMAGES)


def run(folder: Path, *command: str, **settings: str) -> str:
    """Run a command in a checkout, say how long it took, and return what it printed."""
    if (folder / _SEAL).exists():
        settings["COMPOSE_FILE"] = f"docker-compose.yml:{_SEAL}"
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **SETTINGS, **settings}, capture_output=True, text=True, check=False,
        timeout=_SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    print(f"\n{' '.join(word for word in command[:3] if '=' not in word)}: {time.monotonic() - started:.0f} s", end="")
    return done.stdout


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
