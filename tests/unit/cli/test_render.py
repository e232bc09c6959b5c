from __future__ import annotations

import sys
from pathlib import Path

import pytest

from atoll.cli import render


def test_what_nothing_supports_is_told_where_it_stands() -> None:
    def sentence(text: str, *, supported: bool) -> dict[str, object]:
        return {"text": text, "citations": [], "supported": supported}

    text = "Same. [1]\n\nSame. Third. [2]"
    sentences = [sentence("Same.", supported=True), sentence("Same.", supported=False), sentence("?", supported=False)]
    assert render.annotated(text, sentences) == "Same. [1]\n\nSame. (unsupported) Third. [2]"
    assert render.annotated("As it is.", []) == "As it is."


@pytest.mark.parametrize(("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (2048, "2 KiB"), (3 * 2**20, "3.0 MiB")])
def test_sizes(count: int, shown: str) -> None:
    assert render.size(count) == shown


def test_commands_are_printed_as_the_reader_called_this_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = tmp_path / ".venv" / "bin" / "atoll"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(command)])
    for path, called in (("/usr/bin", ".venv/bin/atoll"), (str(command.parent), "atoll")):
        monkeypatch.setenv("PATH", path)
        render.program.cache_clear()
        assert render.program() == called
    monkeypatch.undo()
    render.program.cache_clear()


def test_a_listing_says_why_a_document_failed(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {
        "id": "d1", "name": "a.pdf", "status": "failed", "pages": 0, "passages": 0, "bytes": 1, "warnings": [],
        "created_at": "2026-01-02T03:04:05.678901Z",
        "error": {"type": "DocumentUnreadable", "message": "it wants a password", "stage": "parse", "page": None},
    }  # fmt: skip
    render.documents({"documents": [failed], "counts": {"failed": 1}, "older": 0})
    told = capsys.readouterr().out
    assert "it wants a password (DocumentUnreadable in parse)" in told
    assert "2026-01-02 03:04 " in told


def test_the_page_command_can_be_pasted() -> None:
    item = {"document": "it's a report.pdf", "document_id": "d", "page": 2, "passage_id": "p"}
    assert render.page_command(item, kb="law") == """atoll page 'it'"'"'s a report.pdf' 2 --mark p --kb law"""


def test_a_listing_shows_paths_where_names_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    def item(source: str | None, name: str) -> dict[str, object]:
        return {
            "id": "d", "name": name, "source": source, "status": "ready", "pages": 1, "passages": 1, "bytes": 1,
            "created_at": "2026", "warnings": [],
        }  # fmt: skip

    listed = [item("beta", "README.md"), item(None, "README.md"), item("alpha", "plan.txt")]
    render.documents({"documents": listed, "counts": {"ready": 3}, "older": 0})
    lines = capsys.readouterr().out.splitlines()
    assert [next(cell for cell in line.split() if "." in cell) for line in lines if "." in line] == [
        "beta/README.md", "README.md", "plan.txt",
    ]  # fmt: skip


def test_citations_show_paths_where_names_repeat(capsys: pytest.CaptureFixture[str]) -> None:
    def item(uid: str, source: str | None, name: str) -> dict[str, object]:
        return {
            "rank": 1, "score": 1.0, "document_id": uid, "document": name, "source": source, "page": 1, "text": "t",
            "passage_id": "p", "signals": {},
        }  # fmt: skip

    render.evidence([item("a", "alpha", "r.md"), item("b", "beta", "r.md"), item("c", "x", "c.md")], kb="default")
    shown = capsys.readouterr().out
    assert all(place in shown for place in ("alpha/r.md, page 1", "beta/r.md, page 1", " c.md, page 1"))
    assert "atoll page beta/r.md 1" in shown
