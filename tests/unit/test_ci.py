"""The script that CI runs, with stand-ins for what it calls: which lanes run, what is installed, what is said last."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUMMARY = "==== 3 passed, 1 skipped in 2.50s ===="
LANES = ("setup", "check", "test", "test-compose")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose Makefile only says what it was asked for, beside an apt-get that does the same."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    for program in ("apt-get", "sudo"):
        stand_in = tmp_path / "bin" / program
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f'#!/bin/sh\necho "{program} $*" >>"{tmp_path}/asked"\n')
        stand_in.chmod(0o755)
    return tmp_path


def run(checkout: Path, *, lanes: tuple[str, ...] = LANES, broken: str = "", summary: str = SUMMARY) -> tuple[int, str]:
    rules = [
        f"{lane}:\n\t@echo lane {lane}\n\t@echo '{summary}'\n" + ("\t@false\n" if lane == broken else "")
        for lane in lanes
    ]
    (checkout / "Makefile").write_text("\n".join(rules))
    environment = {"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}", "HOME": str(checkout)}
    ended = subprocess.run(
        [checkout / ".ci" / "run"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    return ended.returncode, ended.stdout


def ran(output: str) -> list[str]:
    return [line.removeprefix("lane ") for line in output.splitlines() if line.startswith("lane ")]


def test_every_lane_runs_in_order_and_the_runners_summary_is_the_last_line(checkout: Path) -> None:
    code, output = run(checkout)
    assert (code, ran(output)) == (0, ["setup", "check", "test", "test-compose"])
    assert output.splitlines()[-1] == SUMMARY


def test_lanes_of_the_screen_and_of_foreign_clients_run_once_they_exist(checkout: Path) -> None:
    code, output = run(checkout, lanes=(*LANES, "test-screen", "test-clients"))
    assert (code, ran(output)) == (0, ["setup", "check", "test", "test-screen", "test-clients", "test-compose"])
    asked = checkout / "asked"
    assert shutil.which("chromium") or "chromium" in asked.read_text()


@pytest.mark.parametrize("broken", ["check", "test", "test-compose"])
def test_a_lane_that_fails_fails_the_whole_after_all_others_ran(checkout: Path, broken: str) -> None:
    code, output = run(checkout, broken=broken)
    assert (code, ran(output)) == (1, ["setup", "check", "test", "test-compose"])
    assert output.splitlines()[-1] == SUMMARY
    assert "failed; the lines above say what" in output


def test_nothing_is_tested_where_the_set_up_failed(checkout: Path) -> None:
    code, output = run(checkout, broken="setup")
    assert (code, ran(output)) == (1, ["setup"])


def test_languages_of_pictures_are_installed_once_the_parser_reads_them(checkout: Path) -> None:
    run(checkout)
    asked = checkout / "asked"
    assert not asked.exists() or "tesseract" not in asked.read_text()
    code = checkout / "services" / "parser" / "parser" / "pictures.py"
    code.parent.mkdir(parents=True)
    code.write_text("import tesserocr\n")
    run(checkout)
    present = Path("/usr/share/tesseract-ocr/5/tessdata")
    missing = [name for name in ("eng", "osd", "deu", "fra", "spa") if not (present / f"{name}.traineddata").exists()]
    said = asked.read_text() if asked.exists() else ""
    assert all(f"tesseract-ocr-{name}" in said for name in missing)
