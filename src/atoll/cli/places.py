"""Where documents stand, as it is shown to a person: by their source as well where names repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def path_of(item: Mapping[str, Any]) -> str:
    """Return where a document stands: its source, if it has one, and its name."""
    return f"{item['source']}/{item['name']}" if item["source"] else str(item["name"])


def told_apart(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return evidence; documents of one name have their source before it."""
    ids: dict[str, set[str]] = {}
    for item in found:
        ids.setdefault(item["document"], set()).add(item["document_id"])
    return [
        {**item, "document": path_of({**item, "name": item["document"]})} if len(ids[item["document"]]) > 1 else item
        for item in found
    ]
