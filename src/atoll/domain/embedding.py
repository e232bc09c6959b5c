"""What the library knows about an embedder and about the tokens of a text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class InputType(StrEnum):
    """What a text is to the search. Models may prefix the two differently."""

    QUERY = "query"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class EmbedderCard:
    """What an embedder is.

    ``max_tokens`` is its window and ``text_tokens`` what a document's text may take of it, after special tokens and
    the prompt. ``fingerprint`` changes whenever stored vectors would have to be made again (the SHA-256 of the
    weights where the server tells it).
    """

    model: str
    dimensions: int
    max_tokens: int
    text_tokens: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TokenSpans:
    """The tokens of a text, special ones not counted: ``ends[i]`` is the character position where token ``i`` ends.

    Positions count code points. A text cut at ``ends[n - 1]`` keeps ``n`` tokens; a cut inside a word may tokenise
    to one or two more when it stands alone.
    """

    ends: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of tokens."""
        return len(self.ends)
