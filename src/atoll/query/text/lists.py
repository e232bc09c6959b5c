"""Word lists and patterns of the package, one file a subject; a line is ``key: value`` or a group of words."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def lines_of(name: str) -> tuple[str, ...]:
    """Return the lines of a list without remarks; none when there is no such list."""
    path = files("atoll").joinpath("words", f"{name}.txt")
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line.strip() and not line.startswith("#"))


@cache
def words_of(name: str) -> frozenset[str]:
    """Return all words of a list."""
    return frozenset(word for line in lines_of(name) for word in line.split())


@cache
def entries_of(name: str) -> tuple[tuple[str, str], ...]:
    """Return the keys and values of a list in order; a key may stand more than once."""
    pairs = (line.split(": ", 1) for line in lines_of(name))
    return tuple((key, value) for key, value in pairs)


@cache
def patterns_of(name: str, **parts: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the patterns of a list by their keys; ``{name}`` in one stands for the part of that name."""
    found = []
    for key, value in entries_of(name):
        for part, text in parts.items():
            value = value.replace(f"{{{part}}}", text)  # noqa: PLW2901 - each part in turn
        found.append((key, re.compile(value, re.IGNORECASE)))
    return tuple(found)
