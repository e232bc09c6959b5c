"""A backend without a model, for tests: each cell of a grid is the sum of the hashed words that stand in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atoll.errors import BadInput
from colpali.backend import Card, PageVectors, SourcePage, Vectors
from colpali.layout import on_grid

COLUMNS, ROWS, DIMENSIONS = 8, 8, 128
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class HashedPage:
    """Words by cell in raster order; a cell without words holds its mean colour."""

    cells: tuple[tuple[str, ...], ...]


class Fake:
    """Deterministic: a page's vectors depend on its own lines and image, a query matches the cells with its words."""

    def __init__(self) -> None:
        self.card = Card(
            backend="fake",
            model="hashed-words",
            dimensions=DIMENSIONS,
            weights_sha256=hashlib.sha256(b"hashed-words").hexdigest(),
            needs_images=True,
            needs_lines=True,
            facts={"grid": [COLUMNS, ROWS]},
        )

    def prepare_page(self, page: SourcePage) -> tuple[HashedPage, int]:
        """See ``Backend``."""
        if page.image is None:
            raise BadInput("image: this backend sees images; send one")
        cells: list[list[str]] = [[] for _ in range(COLUMNS * ROWS)]
        for line in page.lines:
            x0, y0, x1, y1 = line.box
            column = min(COLUMNS - 1, max(0, int(COLUMNS * (x0 + x1) / 2 / page.width)))
            row = min(ROWS - 1, max(0, int(ROWS * (y0 + y1) / 2 / page.height)))
            cells[row * COLUMNS + column].extend(_words(line.text))
        colours = np.asarray(page.image.resize((COLUMNS, ROWS))).reshape(COLUMNS * ROWS, 3)
        return HashedPage(
            tuple(tuple(words) or (f"colour {colour.tolist()}",) for words, colour in zip(cells, colours, strict=True))
        ), COLUMNS * ROWS

    def run_pages(self, batch: Sequence[HashedPage]) -> Sequence[Vectors]:
        """See ``Backend``."""
        return [np.stack([np.sum([_hashed(word) for word in words], axis=0) for words in page.cells]) for page in batch]

    def finish_page(self, prepared: HashedPage, raw: Vectors) -> PageVectors:
        """See ``Backend``."""
        del prepared
        return on_grid(raw, columns=COLUMNS, rows=ROWS)

    def prepare_query(self, text: str) -> tuple[tuple[str, ...], int]:
        """See ``Backend``."""
        words = tuple(_words(text)) or (text,)
        return words, len(words)

    def run_queries(self, batch: Sequence[tuple[str, ...]]) -> Sequence[Vectors]:
        """See ``Backend``."""
        return [np.stack([_hashed(word) for word in words]) for words in batch]


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _hashed(word: str) -> Vectors:
    """Return the word's unit vector: its hash, stretched, read as signs."""
    bits = np.unpackbits(np.frombuffer(hashlib.shake_128(word.encode()).digest(DIMENSIONS // 8), dtype=np.uint8))
    return (bits.astype(np.float32) * 2 - 1) / np.float32(np.sqrt(DIMENSIONS))
