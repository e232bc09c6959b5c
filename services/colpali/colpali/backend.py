"""What a backend is: it turns queries, and most turn pages, into multi-vectors in three steps.

``prepare`` and ``finish`` run on the request's own thread, ``run`` on a model thread and for several requests at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Unit rows, shape (count, dimensions).
Vectors = NDArray[np.float32]
#: x0, y0, x1, y1 in the units of the page's width and height, origin at the top left.
Box = tuple[float, float, float, float]

P = TypeVar("P")
Q = TypeVar("Q")


@dataclass(frozen=True, slots=True)
class Line:
    """A text line or table row, and where it stands."""

    text: str
    box: Box


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page to embed; ``image`` is RGB."""

    width: float
    height: float
    lines: tuple[Line, ...]
    image: Image.Image | None


@dataclass(frozen=True, slots=True, eq=False)
class PageVectors:
    """A page as vectors: the page is cut into a ``grid`` of (columns, rows) equal cells, and each stands for one.

    Vector ``row * columns + column`` is that cell's. ``rows`` and ``cols`` are the means over the rows and columns of
    the grid: a coarse page for a first search.
    """

    vectors: Vectors
    rows: Vectors
    cols: Vectors
    grid: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Card:
    """What a backend is; ``facts`` are further lines of ``/info``.

    ``from_passages`` says that whoever embeds passages makes the pages as well: a page is its lines, whose vectors
    come from the pass of the passage that they stand in. ``recipe`` counts up when vectors are made in another way.
    """

    backend: str
    model: str
    dimensions: int
    weights_sha256: str
    needs_images: bool
    needs_lines: bool
    from_passages: bool = False
    recipe: int = 1
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A digest that changes whenever stored vectors would have to be made again."""
        made_by = f"{self.backend} {self.weights_sha256} {self.dimensions}"
        if self.recipe > 1:
            made_by += f" {self.recipe}"
        return hashlib.sha256(made_by.encode()).hexdigest()

    def as_dict(self) -> dict[str, object]:
        """Return the card as ``/info`` shows it."""
        return {
            "backend": self.backend,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "weights_sha256": self.weights_sha256,
            "dimensions": self.dimensions,
            "needs_images": self.needs_images,
            "needs_lines": self.needs_lines,
            "from_passages": self.from_passages,
            **self.facts,
        }


class Backend(Protocol[Q]):
    """A late-interaction model for queries; its methods may be called from several threads.

    ``Q`` is a prepared query; beside it stands its length in tokens, for the queue.
    """

    @property
    def card(self) -> Card:
        """What the backend is."""
        ...

    def prepare_query(self, text: str) -> tuple[Q, int]:
        """Make a query ready."""
        ...

    def run_queries(self, batch: Sequence[Q]) -> Sequence[Vectors]:
        """Return the vectors of each query.

        Raises:
            ModelFailed: a vector is not finite.
        """
        ...


@runtime_checkable
class PageBackend(Backend[Q], Protocol[P, Q]):
    """A backend that makes pages too. ``P`` is a prepared page; beside it stands its length in tokens."""

    def prepare_page(self, page: SourcePage) -> tuple[P, int]:
        """Make a page ready.

        Raises:
            BadInput: the page lacks what the backend needs.
        """
        ...

    def run_pages(self, batch: Sequence[P]) -> Sequence[Vectors]:
        """Return the raw vectors of each page."""
        ...

    def finish_page(self, prepared: P, raw: Vectors) -> PageVectors:
        """Bring raw vectors into order.

        Raises:
            ModelFailed: a vector is not finite.
        """
        ...
