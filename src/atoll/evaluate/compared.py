"""Texts and expectations in the form in which they are compared: what nobody reads as a difference is none."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_PLAIN = str.maketrans({**dict.fromkeys("‐‑‒–—−", "-"), **dict.fromkeys("‘’‚′", "'"), **dict.fromkeys("“”„″«»", '"')})
_MARKS = re.compile(r"\s*[\[【]\d{1,3}(?:\s*[,;]\s*\d{1,3})*[\]】]")
_PIECES = re.compile(r"\\.|[^\\]+")


def plain(text: str) -> str:
    """Return a text case-folded, in NFKC, with plain dashes and quotation marks and single blanks; accents count."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_PLAIN).casefold().split())


def without_marks(answer: str) -> str:
    """Return an answer without its citation marks, as it is compared."""
    return plain(_MARKS.sub("", answer))


@lru_cache(maxsize=4096)
def pattern(expression: str) -> re.Pattern[str]:
    """Return an expectation that is searched for in plain text; escapes keep their case, so that S stays "no blank".

    Raises:
        re.error: it is no regular expression.
    """
    folded = _PIECES.sub(
        lambda piece: (
            piece[0] if piece[0][0] == "\\" else unicodedata.normalize("NFKC", piece[0]).translate(_PLAIN).casefold()
        ),
        expression,
    )
    return re.compile(folded)
