"""Metadata at the head of a Markdown file: key and value lines between two rules, the safe part of YAML and TOML.

There are no anchors, tags or types of a program's own, so that reading it makes nothing but texts, numbers, truth
values and lists of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: A value as metadata.
Value = str | int | float | bool

_BLOCK = re.compile(r"\A(?:\ufeff)?(---|\+\+\+)[ \t]*\n(.*?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"([A-Za-z_][\w .-]{0,60}?)\s*[:=](?:\s+(.*)|)$")
_MORE = re.compile(r"\s+\S|\s*-\s")
_ITEM = re.compile(r"\s*-\s+(.*)")
#: A number that is written back as it was: no leading zeros, which belong to codes.
_WHOLE, _DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,14})"), re.compile(r"-?(?:0|[1-9]\d{0,9})\.\d{1,6}")
_TRUTH = {"true": True, "false": False}
_EMPTY = frozenset({"", "null", "~"})
_BEGINS_TEXT = frozenset({"|", ">", "|-", ">-"})
_MOST_CHARACTERS = 50_000


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The fields in their order: as text, and as values, of which empty ones are left out; where the text goes on."""

    fields: dict[str, str] = field(default_factory=dict)
    values: dict[str, Value | list[Value]] = field(default_factory=dict)
    end: int = 0


def front_matter(text: str) -> FrontMatter | None:
    """The metadata that a text begins with; None where a rule only parts it from what follows.

    A block between two rules is metadata if each of its lines is a field, continues one, or is a comment.
    """
    found = _BLOCK.match(text[:_MOST_CHARACTERS])
    if not found:
        return None
    fields: dict[str, str] = {}
    items: dict[str, list[str] | None] = {}
    name = ""
    for line in found[2].split("\n"):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _FIELD.match(line)
        if entry:
            name, value = entry[1], (entry[2] or "").strip()
            fields[name], items[name] = _plain(value), _listed(value)
        elif name and _MORE.match(line):
            more = _plain(line.strip().removeprefix("- "))
            item, held = _ITEM.match(line), items[name]
            items[name] = [*held, item[1]] if item and held is not None else None
            fields[name] = ", ".join(filter(None, (fields[name], more)))
        else:
            return None
    return FrontMatter(fields, _values(fields, items, found[2]), found.end()) if fields else None


def _listed(value: str) -> list[str] | None:
    """The members of a list, none of an empty value whose members may follow, and None of anything else."""
    if value.startswith("[") and value.endswith("]"):
        return [part for part in (each.strip() for each in value[1:-1].split(",")) if part]
    return None if value else []


def _values(fields: dict[str, str], items: dict[str, list[str] | None], block: str) -> dict[str, Value | list[Value]]:
    written = {found[1]: found[2] or "" for found in map(_FIELD.match, block.split("\n")) if found}
    values: dict[str, Value | list[Value]] = {}
    for name, text in fields.items():
        listed = items[name]
        if listed:
            values[name] = [_value(item) for item in listed]
        elif listed is None and text:
            # A value that goes on in further lines is text, whatever it begins with.
            values[name] = _value(written[name]) if _plain(written[name]) == text else text
    return {name: value for name, value in values.items() if isinstance(value, list) or value not in _EMPTY}


def _value(written: str) -> Value:
    text = written.strip()
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else _plain(text)


def _plain(value: str) -> str:
    """A value without its quotes, a list as its members."""
    value = value.strip()
    if value in _BEGINS_TEXT:
        return ""
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(part.strip().strip("'\"") for part in value[1:-1].split(","))
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value
