"""What people do with the screen, in a real Chromium against a real stack: each file of journeys is one test."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

#: The first test starts the stack and reads the samples.
pytestmark = pytest.mark.timeout(540)

JOURNEYS = sorted(Path(__file__).parent.glob("*.journey.mjs"))
DIST = Path(__file__).parents[2] / "web" / "dist"
FIRST_LOAD_BYTES = 220_000


@pytest.mark.parametrize("journeys", JOURNEYS, ids=lambda path: path.name.partition(".")[0])
def test_journeys(journeys: Path, travel: Callable[[Path], str]) -> None:
    said = travel(journeys)
    passed = re.search(r"pass (\d+)", said)
    assert passed is not None
    assert int(passed[1]) > 0, said


def test_the_first_load_is_small(travel: Callable[[Path], str]) -> None:
    """The page, what it names, and one language; views behind it come when they are wanted."""
    del travel  # it has built the screen
    page = (DIST / "index.html").read_text()
    named = re.findall(r'"/(assets/[^"]+\.(?:js|css))"', page)
    language = max((DIST / "assets").glob("en-*.js.gz"), key=lambda path: path.stat().st_size)
    total = sum((DIST / f"{name}.gz").stat().st_size for name in named) + language.stat().st_size
    assert len(named) >= 2
    assert total <= FIRST_LOAD_BYTES


def test_the_page_names_nothing_from_elsewhere_and_nothing_inline(travel: Callable[[Path], str]) -> None:
    del travel
    page = (DIST / "index.html").read_text()
    assert "//" not in re.sub(r"<!doctype html>", "", page)
    assert not re.search(r"<style|style=|<script(?![^>]*\bsrc=)| on[a-z]+=", page)
