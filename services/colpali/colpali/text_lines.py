"""Pages by what is written on them: each text line or table row becomes one vector of the embedding server.

No vision weights are needed, the protocol is the same: a page is a multi-vector, and each vector knows its box.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from atoll.serving.errors import ModelFailed
from colpali.backend import Box, Card, Line, PageVectors, SourcePage, Vectors
from colpali.embedding_client import EmbeddingClient
from colpali.layout import on_regions, unit

#: Assumed length of a token; only the queue's arithmetic depends on it.
CHARACTERS_PER_TOKEN = 4
#: A query is its words, which find lines, and its whole, which understands them, with this weight: with less, more
#: pages come first, with more, the answering lines are found (tests/integration/test_page_ranking.py shows both).
WHOLE_WEIGHT = 5
#: Shorter words of alphabets are mostly grammar, in any language.
LEAST_LETTERS = 4
MAX_WORDS = 32
_WORD = re.compile(r"\w[\w.'-]*")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """The lines of a page that say something, and their boxes."""

    width: float
    height: float
    texts: tuple[str, ...]
    boxes: tuple[Box, ...]


class TextLines:
    """Embeds lines through the embedding server, whose ``info`` names the model."""

    def __init__(self, client: EmbeddingClient, info: Mapping[str, Any]) -> None:
        self._client = client
        self.card = Card(
            backend="text-lines",
            model=str(info["model"]),
            dimensions=int(info["dimensions"]),
            weights_sha256=str(info["weights_sha256"]),
            needs_images=False,
            needs_lines=True,
        )

    def prepare_page(self, page: SourcePage) -> tuple[WrittenPage, int]:
        """See ``Backend``. A page without text is not an error: it has no vectors."""
        lines = [line for line in page.lines if _WORD.search(line.text)]
        texts = tuple(_under_its_heading(line) for line in lines)
        return WrittenPage(page.width, page.height, texts, tuple(line.box for line in lines)), _tokens(*texts)

    def run_pages(self, batch: Sequence[WrittenPage]) -> Sequence[Vectors]:
        """See ``Backend``.

        Raises:
            DependencyDown: the embedding server is away or overloaded.
        """
        return self._embed([page.texts for page in batch], "document")

    def finish_page(self, prepared: WrittenPage, raw: Vectors) -> PageVectors:
        """See ``Backend``."""
        return on_regions(raw, prepared.boxes, width=prepared.width, height=prepared.height)

    def prepare_query(self, text: str) -> tuple[tuple[str, ...], int]:
        """See ``Backend``."""
        texts = (text, *_telling_words(text))
        return texts, _tokens(*texts)

    def run_queries(self, batch: Sequence[tuple[str, ...]]) -> Sequence[Vectors]:
        """See ``Backend``.

        Raises:
            DependencyDown: as for ``run_pages``.
        """
        weights = [[WHOLE_WEIGHT, *[1] * (len(texts) - 1)] for texts in batch]
        return [
            unit(np.repeat(vectors, weight, axis=0))
            for vectors, weight in zip(self._embed(batch, "query"), weights, strict=True)
        ]

    def _embed(self, groups: Sequence[Sequence[str]], input_type: str) -> list[Vectors]:
        """Embed all groups in one go and return the vectors of each."""
        texts = [text for group in groups for text in group]
        rows = np.zeros((0, self.card.dimensions), dtype=np.float32)
        if texts:
            rows = self._client.embed(texts, input_type=input_type)
        if rows.shape[1] != self.card.dimensions:
            raise ModelFailed(
                f"the embedding server now gives {rows.shape[1]} dimensions instead of {self.card.dimensions}; "
                "restart this server"
            )
        ends = accumulate(map(len, groups), initial=0)
        return [rows[start:end] for start, end in pairwise(ends)]


def _under_its_heading(line: Line) -> str:
    """Return a line with its heading: alone, many a line does not tell what it is about."""
    text = line.text.strip()
    return f"{line.heading.strip()}: {text}" if line.heading.strip() else text


def _telling_words(text: str) -> list[str]:
    """Return the words that may name a thing: long ones, numbers, and whatever stands in other scripts than Latin."""
    words = dict.fromkeys(_WORD.findall(text))
    telling = [word for word in words if len(word) >= LEAST_LETTERS or _DIGIT.search(word) or not word.isascii()]
    return telling[:MAX_WORDS]


def _tokens(*texts: str) -> int:
    return 1 + sum(1 + len(text) // CHARACTERS_PER_TOKEN for text in texts)
