"""Glob patterns and metadata as Cypher can test them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from atoll.records.filters import BOUNDS, bounds_of, options_of

_NUMBER, _TEXT = "n", "t"


def regex_of(glob: str) -> str:
    """Return the Java regular expression of a glob pattern: ``*``, ``?``, ``[abc]``, ``[^a-c]``; nothing is escaped.

    What follows a ``*`` is taken where it occurs first and never tried elsewhere (an atomic group), so that no
    pattern takes exponential time. After the last ``*`` the rest stands at the end, for which there is one place.
    """
    parts = [_literal_runs(part) for part in _split_at_stars(glob)]
    if len(parts) == 1:
        return f"(?s){parts[0]}"
    first, *middle, last = parts
    return f"(?s){first}{''.join(f'(?>.*?{part})' for part in middle if part)}.*{last}"


def _split_at_stars(glob: str) -> list[str]:
    parts, at = [""], 0
    while at < len(glob):
        if glob[at] == "*":
            parts.append("")
            at += 1
        else:
            end = _class_end(glob, at) if glob[at] == "[" else at + 1
            parts[-1] += glob[at:end]
            at = end
    return parts


def _class_end(glob: str, start: int) -> int:
    """Return where the character class that begins at ``start`` ends; one that never ends matches nothing."""
    at = start + 1 + glob.startswith("^", start + 1)
    end = glob.find("]", at + 1)  # a bracket that comes first stands for itself
    return len(glob) if end < 0 else end + 1


def _literal_runs(part: str) -> str:
    pattern, at = "", 0
    while at < len(part):
        if part[at] == "?":
            pattern += "."
            at += 1
        elif part[at] == "[":
            end = _class_end(part, at)
            pattern += _class(part[at:end])
            at = end
        else:
            pattern += _escape(part[at])
            at += 1
    return pattern


def _class(text: str) -> str:
    if not text.endswith("]") or len(text) < 3:  # noqa: PLR2004 - brackets with something between
        return "(?!)"
    negated = text[1] == "^"
    members = text[1 + negated : -1]
    ranges, at = "", 0
    while at < len(members):
        if members[at + 1 : at + 2] == "-" and at + 2 < len(members):
            low, high = members[at], members[at + 2]
            ranges += f"{_escape(low)}-{_escape(high)}" if low <= high else ""
            at += 3
        else:
            ranges += _escape(members[at])
            at += 1
    if not ranges:
        return "." if negated else "(?!)"
    return f"[{'^' if negated else ''}{ranges}]"


def _escape(character: str) -> str:
    return character if re.match(r"[A-Za-z0-9]", character) else f"\\x{{{ord(character):x}}}"


def facts_of(metadata: Mapping[str, Any]) -> list[str]:
    """Return metadata as texts that a filter finds by equality, or by what they begin with.

    Properties named by the caller would each take a name that the database never gives back. A list is found as a
    whole and by each of its members.
    """
    facts = [fact(key, value) for key, value in sorted(metadata.items()) if value is not None]
    members = {_member(key, each) for key, value in metadata.items() if isinstance(value, list) for each in value}
    return [*facts, *sorted(members)]


def fact(key: str, value: Any) -> str:
    """Return one entry: key and kind as JSON begins them, then the value. Equal numbers have equal texts."""
    return f"{fact_prefix(key, value)}{_value(value)}"


def _member(key: str, value: Any) -> str:
    """Return one entry for a member of a list, which no range finds."""
    return f"{json.dumps(key)}[]{fact('', value)}"


def fact_prefix(key: str, value: Any) -> str:
    """Return what all entries of this key and of the kind of ``value`` begin with."""
    return f"{json.dumps(key)}:{_NUMBER if isinstance(value, int | float) else _TEXT}:"


def _value(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def metadata_condition(key: str, wanted: Any, name: str) -> tuple[str, dict[str, object]]:
    """Return a condition on document ``d`` and its parameters, whose names begin with ``name``.

    ``wanted`` is a value, a list of values, or bounds {gte, lte}; a bound compares only values of its own kind.

    Raises:
        BadInput: bounds of another name.
    """
    bounds = bounds_of(wanted)
    if bounds is None:
        options = [option for option in options_of(wanted) if option is not None]
        facts = [form(key, option) for option in options for form in (fact, _member)]
        return f"any(fact IN d.facts WHERE fact IN ${name})", {name: facts}
    conditions: list[str] = []
    values: dict[str, object] = {}
    for bound, limit in bounds.items():
        prefix, value, operator = f"{name}_{bound}_prefix", f"{name}_{bound}", BOUNDS[bound]
        found = f"substring(fact, size(${prefix}))"
        number = isinstance(limit, int | float)
        conditions.append(
            f"any(fact IN d.facts WHERE fact STARTS WITH ${prefix} AND "
            f"{f'toFloat({found})' if number else found} {operator} ${value})"
        )
        values |= {prefix: fact_prefix(key, limit), value: float(limit) if number else _value(limit)}
    return " AND ".join(conditions), values
