"""What a JSON value from outside may hold: what both record stores keep and every reader of JSON reads."""

from __future__ import annotations

import math
from typing import Any

from atoll.errors import BadInput

#: The largest whole number that JSON readers agree on (those of browsers keep numbers as 64-bit floats).
MAX_WHOLE = 2**53 - 1
MAX_INTEGER = 2**63 - 1
MAX_DEPTH = 32
_NUL = "\0"


def check_json(value: Any, *, nul: bool = False) -> None:
    """Check a parsed JSON value.

    Args:
        value: what a JSON parser returned.
        nul: whether texts may hold the character NUL.

    Raises:
        BadInput: a number past 64 bits or not finite, a text that is not Unicode, nesting deeper than `MAX_DEPTH`.
    """
    waiting = [(value, 0)]
    while waiting:
        each, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise BadInput(f"JSON may be nested {MAX_DEPTH} deep here; flatten it")
        match each:
            case dict():
                waiting += [(inner, depth + 1) for pair in each.items() for inner in pair]
            case list():
                waiting += [(inner, depth + 1) for inner in each]
            case str():
                _check_text(each, nul=nul)
            case bool() | None:
                pass
            case int() if not -MAX_INTEGER - 1 <= each <= MAX_INTEGER:
                raise BadInput("a number has more than 64 bits; send it as text")
            case float() if not math.isfinite(each):
                raise BadInput("a number is not finite; leave it out")
            case int() | float():
                pass
            case _:
                raise BadInput("only what JSON knows: objects, lists, texts, numbers, true, false and null")


def _check_text(text: str, *, nul: bool) -> None:
    if not nul and _NUL in text:
        raise BadInput("a text holds the character NUL; leave it out")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise BadInput("a text holds half a character (a lone surrogate); send valid Unicode") from error
