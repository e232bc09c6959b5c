"""Pages by what is written on them: a page is its text lines and table rows, and each has a vector.

No vision weights are needed. The vectors of lines come from the pass of the passage that they stand in, so that whoever
embeds passages makes the pages; here questions become vectors of the same kind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atoll.serving.errors import ModelFailed
from colpali.backend import Card, Vectors
from colpali.embedding_client import EmbeddingClient
from colpali.layout import unit

#: Assumed length of a token; only the queue's arithmetic depends on it.
CHARACTERS_PER_TOKEN = 4
#: A query is its words, which find lines, and its whole, which understands them, with this weight: with less, more
#: pages come first, with more, the answering lines are found (tests/integration/test_page_ranking.py shows both).
WHOLE_WEIGHT = 5
#: Shorter words of alphabets are mostly grammar, in any language.
LEAST_LETTERS = 4
MAX_WORDS = 32
#: Counts up when lines or questions become vectors in another way. 1: each line and word alone.
RECIPE = 2
_WORD = re.compile(r"\w[\w.'-]*")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the places of its telling words, in code points."""

    text: str
    words: tuple[tuple[int, int], ...]


class TextLines:
    """Embeds questions through the embedding server, whose ``info`` names the model."""

    def __init__(self, client: EmbeddingClient, info: Mapping[str, Any]) -> None:
        self._client = client
        self.card = Card(
            backend="text-lines",
            model=str(info["model"]),
            dimensions=int(info["dimensions"]),
            weights_sha256=str(info["weights_sha256"]),
            needs_images=False,
            needs_lines=False,
            from_passages=True,
            recipe=RECIPE,
        )

    def prepare_query(self, text: str) -> tuple[Question, int]:
        """See ``Backend``."""
        return Question(text, telling_words(text)), 1 + len(text) // CHARACTERS_PER_TOKEN

    def run_queries(self, batch: Sequence[Question]) -> Sequence[Vectors]:
        """See ``Backend``.

        Raises:
            DependencyDown: the embedding server is away or overloaded.
        """
        found = self._client.embed_queries([question.text for question in batch], [each.words for each in batch])
        queries = []
        for whole, words in found:
            if len(whole) != self.card.dimensions:
                raise ModelFailed(
                    f"the embedding server now gives {len(whole)} dimensions instead of {self.card.dimensions}; "
                    "restart this server"
                )
            queries.append(unit(np.concatenate([np.repeat(whole[None], WHOLE_WEIGHT, axis=0), words])))
        return queries


def telling_words(text: str) -> tuple[tuple[int, int], ...]:
    """Return where words stand that may name a thing, each once: long ones, numbers, and those not in ASCII."""
    found: dict[str, tuple[int, int]] = {}
    for match in _WORD.finditer(text):
        word = match[0]
        if len(word) >= LEAST_LETTERS or _DIGIT.search(word) or not word.isascii():
            found.setdefault(word, match.span())
    return tuple(found.values())[:MAX_WORDS]
