"""What a model thinks before it answers, told apart from the answer: ``<think> ... </think>`` in a stream of pieces."""

from __future__ import annotations

import re

_OPENS = re.compile(r"<(think|thinking|thought|reasoning)>", re.IGNORECASE)
#: The longest tag; what may still become one is held back until that is known.
_LONGEST_TAG = len("</reasoning>")


class Thoughts:
    """Takes thoughts out of a text that arrives in pieces. A thought that is never closed goes on to the end."""

    def __init__(self) -> None:
        self._held = ""
        self._closing: re.Pattern[str] | None = None

    def without(self, piece: str) -> str:
        """Return what of the text so far is answer and was not returned before."""
        self._held += piece
        said: list[str] = []
        while True:
            if self._closing is not None:
                end = self._closing.search(self._held)
                if end is None:
                    self._held = self._held[-_LONGEST_TAG:]
                    break
                self._held, self._closing = self._held[end.end() :].lstrip(), None
                continue
            start = _OPENS.search(self._held)
            if start is None:
                said.append(self._safe())
                break
            said.append(self._held[: start.start()])
            self._closing = re.compile(rf"</{start[1]}>", re.IGNORECASE)
            self._held = self._held[start.end() :]
        return "".join(said)

    def rest(self) -> str:
        """Return what was held back, when the text has ended."""
        held, self._held = self._held, ""
        return "" if self._closing is not None else held

    def _safe(self) -> str:
        """Return what cannot be the beginning of a tag any more, and hold the rest."""
        at = self._held.rfind("<", max(0, len(self._held) - _LONGEST_TAG))
        cut = len(self._held) if at < 0 or ">" in self._held[at:] else at
        said, self._held = self._held[:cut], self._held[cut:]
        return said


def without_thoughts(text: str) -> str:
    """Return a whole text without thoughts."""
    thoughts = Thoughts()
    return thoughts.without(text) + thoughts.rest()
