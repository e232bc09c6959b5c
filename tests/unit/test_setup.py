"""`make setup` that was killed half-way is finished by the next one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Writes down what it was asked for; pip is missing, or an installation breaks off, while a file says so.
PYTHON = """#!/bin/sh
echo "$*" >> {folder}/asked
case "$*" in
    *"pip --version"*) test ! -e {folder}/no-pip ;;
    *"pip install"*) test ! -e {folder}/killed ;;
    *"-m venv"*) rm -f {folder}/no-pip ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "bin").mkdir()
    for name in ("a.lock", "asked"):
        (tmp_path / name).touch()
    python = tmp_path / "bin" / "python"
    python.write_text(PYTHON.format(folder=tmp_path))
    python.chmod(0o755)
    return tmp_path


def make(checkout: Path, target: str) -> tuple[int, str]:
    """Return the exit code and what was asked of Python."""
    (checkout / "asked").write_text("")
    options = ("BIN=bin", f"PYTHON={checkout}/bin/python", "LOCKS=a.lock")
    done = subprocess.run(["make", target, *options], cwd=checkout, capture_output=True, text=True, check=False)
    return done.returncode, (checkout / "asked").read_text()


def test_an_environment_without_pip_is_made_anew(checkout: Path) -> None:
    (checkout / "no-pip").touch()
    code, asked = make(checkout, ".state/venv")
    assert code == 0
    assert "-m venv --clear .venv" in asked


def test_what_was_half_installed_is_installed_over(checkout: Path) -> None:
    for target in (".state/locks", ".state/torch"):
        (checkout / "killed").touch()
        code, asked = make(checkout, target)
        assert code != 0
        assert "--force-reinstall" not in asked
        (checkout / "killed").unlink()
        code, asked = make(checkout, target)
        assert code == 0
        assert "--force-reinstall" in asked
        (checkout / target).unlink()
        code, asked = make(checkout, target)
        assert (code, "--force-reinstall" in asked) == (0, False)
