"""A document that was read with losses says so wherever it is listed, and when its ingest ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.cli import progress, render
from atoll.cli.sources import Source
from atoll.cli.uploads import Ending, Outcome
from atoll.cli.warned import warned


def warning(kind, page=None, message="something"):
    return {"type": kind, "page": page, "message": message}


def document(*warnings, **more):
    return {
        "id": "d1", "name": "scan.pdf", "status": "ready", "pages": 4, "passages": 0, "bytes": 1, "created_at": "now",
        "warnings": list(warnings), "error": None, "stages": [], "version": 1, "media_type": "application/pdf",
        "entities": 0, "sha256": "s", "read": None, **more,
    }  # fmt: skip


def test_pages_are_counted_by_what_is_wrong_with_them():
    scan = document(*(warning("no_text_layer", page) for page in range(1, 5)))
    assert warned(scan) == "4 of 4 pages without text that can be read"


def test_other_warnings_are_told_with_their_page_and_the_rest_are_counted():
    found = warned(document(warning("a", 2, "first"), warning("b", None, "second"), warning("c"), warning("d")))
    assert found == "first (page 2); second; 2 more warnings"


def test_a_document_with_nothing_in_it_is_never_told_without_a_word():
    assert warned(document()) == "no text was found in it"
    assert warned(document(passages=3)) == ""


def test_control_characters_of_a_document_do_not_reach_the_terminal():
    assert "\x1b" not in warned(document(warning("a", 1, "\x1b[2Jgone")))


def test_ingest_list_and_show_say_it(capsys: pytest.CaptureFixture[str]):
    scan = document(warning("no_text_layer", 3, "the page has no text layer"))
    source = Source(path=Path("scans/scan.pdf"), asked=True)
    assert progress.line(Outcome(source, Ending.READY, document=scan)).endswith(
        "scans/scan.pdf: 1 of 4 pages without text that can be read"
    )
    render.documents({"documents": [scan], "counts": {"ready": 1}, "older": 0})
    assert "1 of 4 pages without text" in capsys.readouterr().out
    render.document(scan)
    assert "page 3: the page has no text layer (no_text_layer)" in capsys.readouterr().out
