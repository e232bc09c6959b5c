from __future__ import annotations

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


def test_the_page_command_can_be_pasted() -> None:
    item = {"document": "it's a report.pdf", "document_id": "d", "page": 2, "passage_id": "p"}
    assert render.page_command(item, kb="law") == """atoll page 'it'"'"'s a report.pdf' 2 --mark p --kb law"""
