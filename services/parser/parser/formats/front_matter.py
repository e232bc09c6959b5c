"""Metadata at the head of a Markdown file: key and value lines between two rules."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_BLOCK = re.compile(r"\A(?:\ufeff)?(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z_][\w .-]{0,60}?)\s*[:=](?:\s+(.*)|)$")
_MORE = re.compile(r"\s+\S|\s*-\s")
_MOST_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields in their order, values as text, and where the text after them begins."""

    fields: dict[str, str] = field(default_factory=dict)
    end: int = 0


def front_matter(text: str) -> FrontMatter | None:
    """The metadata that a text begins with; None where a rule only parts it from what follows.

    A block between two rules is metadata if each of its lines is a field, continues one, or is a comment.
    """
    found = _BLOCK.match(text[:_MOST_CHARACTERS])
    if not found:
        return None
    fields: dict[str, str] = {}
    name = ""
    for line in found[2].split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _FIELD.match(line)
        if entry:
            name = entry[1]
            fields[name] = _plain(entry[2] or "")
        elif name and _MORE.match(line):
            fields[name] = ", ".join(filter(None, (fields[name], _plain(line.strip().removeprefix("- ")))))
        else:
            return None
    return FrontMatter(fields, found.end()) if fields else None


def _plain(value: str) -> str:
    """A value without its quotes, a list as its members."""
    value = value.strip()
    if value in {"|", ">", "|-", ">-"}:
        return ""
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(part.strip().strip("'\"") for part in value[1:-1].split(","))
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
