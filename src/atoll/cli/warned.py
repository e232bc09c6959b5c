"""What the warnings of a document come to, in a few words: shown wherever documents are listed or end an ingest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from atoll.cli.render import snippet

#: Types of warnings that are given for each page, and what is said of so many of them.
_PAGES = {
    "no_text_layer": "without text that can be read",
    "no_text_on_page": "without text",
    "empty_page": "empty",
    "PageNotEmbedded": "not found by their image",
}
_CHARACTERS = 100
#: Warnings that are told by their words; the others are counted.
_TOLD = 2


def warned(document: Mapping[str, Any]) -> str:
    """Return what the reader of a document should know about it, on one line; empty when that is nothing."""
    warnings = document.get("warnings") or []
    pages = Counter(each["type"] for each in warnings if each["type"] in _PAGES and each["page"] is not None)
    told = [f"{count} of {document['pages']} pages {_PAGES[kind]}" for kind, count in pages.items()]
    others = [each for each in warnings if each["type"] not in _PAGES]
    for each in others[:_TOLD]:
        place = f" (page {each['page']})" if each["page"] is not None else ""
        told.append(snippet(each["message"], _CHARACTERS) + place)
    if len(others) > _TOLD:
        told.append(f"{len(others) - _TOLD} more warnings")
    if not told and document.get("status") == "ready" and not document.get("passages"):
        told.append("no text was found in it")
    return "; ".join(told)
