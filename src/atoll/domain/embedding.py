"""What the library knows about an embedder and about the tokens of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class InputType(StrEnum):
    """What a text is to the search. Models may prefix the two differently."""

    QUERY = "query"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class EmbedderCard:
    """What an embedder is.

    ``max_tokens`` is its window and ``text_tokens`` what a document's text may take of it, after special tokens and
    the prompt. ``fingerprint`` changes whenever stored vectors would have to be made again (the SHA-256 of the
    weights where the server tells it). ``has_spans`` says that parts of a text can have vectors.
    """

    model: str
    dimensions: int
    max_tokens: int
    text_tokens: int
    fingerprint: str
    has_spans: bool = False


#: Start and end of a part of a text, in code points.
CharacterSpan = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class SpannedVectors:
    """Texts and parts of them as one pass of the model made them.

    ``texts`` are unit rows, (texts, dimensions), as ``Embedder.embed`` gives them. ``means``, (texts, width), and
    ``spans``, one array (parts, width) a text, are means over the vectors of a text's tokens and over those of each
    part: not of length 1, and never cut to a prefix, so that ``width`` may be more than the card's ``dimensions``.
    A part that the model read nothing of has the mean of its text.
    """

    texts: NDArray[np.float32]
    means: NDArray[np.float32]
    spans: Sequence[NDArray[np.float32]]

    def told_apart(self, contrast: float) -> list[NDArray[np.float32]]:
        """Return the parts of each text as unit rows, from which ``contrast`` times the text's mean was taken.

        Tokens of one text know of each other, so that its parts are alike: what they share tells none of them apart.
        """
        return [
            _unit(parts - np.float32(contrast) * mean, mean) for parts, mean in zip(self.spans, self.means, strict=True)
        ]


def _unit(rows: NDArray[np.float32], instead: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return rows at length 1; one of which nothing is left is ``instead``."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    sound = np.where(norms > np.finfo(np.float32).eps, rows, instead)
    unit: NDArray[np.float32] = (sound / np.linalg.norm(sound, axis=1, keepdims=True)).astype(np.float32)
    return unit


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
