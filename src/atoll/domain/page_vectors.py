"""Pages as multi-vectors: what late interaction searches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atoll.domain.artefact import UNKEYED
from atoll.domain.block import Line
from atoll.domain.ids import DocumentUid, KbUid, PageId, PassageId, page_id
from atoll.domain.page import Box, Page
from atoll.domain.reader import Reader


@dataclass(frozen=True, slots=True)
class PageEmbedderCard:
    """What a page embedder is, and what it wants of a page.

    ``fingerprint`` changes whenever stored vectors would have to be made again; ``weights`` is the SHA-256 of the
    weights, which for lines of text are those of the embedding server that embeds them. ``from_passages`` says that
    it makes no pages: a page is its lines, whose vectors come from the passages that they stand in.
    """

    model: str
    dimensions: int
    fingerprint: str
    weights: str
    needs_images: bool
    needs_lines: bool
    from_passages: bool = False


@dataclass(frozen=True, slots=True)
class PageInput:
    """A page to embed; ``image`` is a PNG, WebP or JPEG file, ``lines`` are text lines and table rows of this page."""

    page: Page
    lines: tuple[Line, ...] = ()
    image: bytes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PageVectors:
    """A page's unit vectors, shape (count, dimensions), each of which stands for a place on the page.

    With a ``grid`` of (columns, rows), the page is cut into equal cells and vector ``row * columns + column`` is that
    cell's. Otherwise ``regions`` holds one box a vector. ``rows`` and ``cols`` are means over rows and columns of
    the grid, or over bands of regions: the coarse page of a first search. A page with nothing on it has no vectors.
    """

    vectors: NDArray[np.float16]
    rows: NDArray[np.float16]
    cols: NDArray[np.float16]
    grid: tuple[int, int] | None
    regions: tuple[Box, ...] | None

    def box_of(self, index: int, page: Page) -> Box:
        """Return where on ``page`` vector ``index`` stands."""
        if self.grid is None:
            assert self.regions is not None
            return self.regions[index]
        columns, rows = self.grid
        row, column = divmod(index, columns)
        width, height = page.width / columns, page.height / rows
        return Box(column * width, row * height, (column + 1) * width, (row + 1) * height)


@dataclass(frozen=True, slots=True)
class PageFailure:
    """A page that the embedder refused or could not embed; the others of its request are not affected."""

    message: str
    code: str


@dataclass(frozen=True, slots=True, eq=False)
class PageQuery:
    """A question as unit vectors, shape (count, dimensions), of the embedder that ``fingerprint`` names.

    A page's score is their MaxSim: for each of them its best cosine on the page, added up. ``sees`` tells models that
    look at the page's image from those that read its lines.
    """

    fingerprint: str
    vectors: NDArray[np.float32]
    sees: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class PagePoint:
    """One page in the index; ``passages`` are those that stand on it, in order. Its vectors are not empty.

    ``key`` is that of stage embed's output, which keeps them.
    """

    kb: KbUid
    document_uid: DocumentUid
    labels: tuple[str, ...]
    page: int
    vectors: PageVectors
    passages: tuple[PassageId, ...]
    key: str = UNKEYED

    @property
    def id(self) -> PageId:
        """The point's id."""
        return page_id(self.document_uid, self.page)


@dataclass(frozen=True, slots=True, eq=False)
class PageSearch:
    """The ``limit`` pages that ``reader`` sees and that answer a query best; the rest is as in ``VectorSearch``."""

    reader: Reader
    query: PageQuery
    limit: int
    include_documents: tuple[DocumentUid, ...] | None = None
    exclude_documents: tuple[DocumentUid, ...] = ()


class PageHit(NamedTuple):
    """A page that answers a search, its score (MaxSim) rounded to 1e-5, and what its point says besides."""

    document_uid: DocumentUid
    page: int
    score: float
    passages: tuple[PassageId, ...]
    key: str = UNKEYED
