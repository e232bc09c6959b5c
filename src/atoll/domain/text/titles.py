"""What a document calls itself: the short lines at its beginning, before it says anything."""

from __future__ import annotations

import re

#: Lines that a title may take, and words of such a line.
_LINES, _WORDS = 2, 12
_SAYS = re.compile(r"[.!?;,:…]$|\s\|\s")


def titles_of(opening: str) -> tuple[str, ...]:
    """Return the lines of a document's first text, at most two, that are its title rather than a sentence or a row."""
    found: list[str] = []
    for line in opening.split("\n")[: _LINES + 1]:
        text = line.strip()
        if not text or len(text.split()) > _WORDS or _SAYS.search(text):
            break
        found.append(text)
    # without anything under them they are the text itself, a list perhaps
    return tuple(found[:_LINES]) if len(opening.split("\n")) > len(found) else ()
