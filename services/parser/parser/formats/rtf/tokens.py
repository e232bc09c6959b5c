"""Takes a file apart: control words, signs, bytes of letters, the beginnings and ends of groups."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<code>[0-9a-fA-F]{2})|\\(?P<sign>[^a-zA-Z])"
    rb"|(?P<group>[{}])|(?P<text>[^\\{}\r\n]+)|[\r\n]+|\\$",
    re.DOTALL,
)
_LONGEST_BINARY = 1 << 30


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is word, sign, group or text, which comes as bytes. ``number`` is a word's, None without one."""

    kind: str
    name: str = ""
    number: int | None = None
    letters: bytes = b""


def tokens(data: bytes) -> Iterator[Token]:
    """The tokens of a file; pictures that are written as bytes are passed over."""
    at = 0
    while found := _TOKEN.match(data, at):
        at = found.end()
        if (name := found["word"]) is not None:
            number = int(found["number"]) if found["number"] else None
            if name == b"bin":
                at += min(max(number or 0, 0), _LONGEST_BINARY)
            else:
                yield Token("word", name.decode("ascii"), number)
        elif (code := found["code"]) is not None:
            yield Token("text", "'", letters=bytes([int(code, 16)]))
        elif (sign := found["sign"]) is not None:
            yield Token("sign", sign.decode("latin-1"))
        elif (group := found["group"]) is not None:
            yield Token("group", group.decode("ascii"))
        elif (letters := found["text"]) is not None:
            yield Token("text", letters=letters)
