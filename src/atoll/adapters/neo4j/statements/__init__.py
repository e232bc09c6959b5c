"""Cypher by name: each file beside this module holds statements of one port, read once, when that port is imported.

A line ``// name: x`` begins the statement ``x``; other lines that begin with ``//`` are comments. ``<<x>>`` stands for
the piece ``x`` of ``fragments.cypher``, and pieces may hold others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

_NAME = re.compile(r"^// name: (\w+)$", re.MULTILINE)
_COMMENT = re.compile(r"^//.*\n?", re.MULTILINE)
_PIECE = re.compile(r"<<(\w+)>>")
_FRAGMENTS = "fragments"


def load(file: str, *names: str) -> tuple[str, ...]:
    """Return statements of a file, in the order of ``names``.

    Raises:
        KeyError: there is no such statement, or it asks for a piece that there is not.
    """
    return tuple(_whole(texts_of(file)[name]) for name in names)


def load_one(file: str, name: str) -> str:
    """Return a statement of a file. Raises KeyError."""
    return load(file, name)[0]


@cache
def texts_of(file: str) -> Mapping[str, str]:
    """Return the statements of a file by name, as they stand there."""
    text = resources.files(__package__).joinpath(f"{file}.cypher").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: _COMMENT.sub("", body).strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def _whole(text: str) -> str:
    while _PIECE.search(text):
        text = _PIECE.sub(lambda found: texts_of(_FRAGMENTS)[found[1]], text)
    return text
