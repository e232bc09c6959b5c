"""Page vectors as parts of stage embed's output: what an index is filled from again and heatmaps are drawn from.

Batches, each an archive of numpy arrays, and beside them ``ARCHIVE``, which is written last and says that all batches
are there. Only bytes and names here.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from atoll.domain.page import Box, Page
from atoll.domain.page_vectors import PageFailure, PageVectors

#: The part that says what the batches hold.
ARCHIVE = "pages"
#: What the parts of the batches are called, before their number.
BATCH_PREFIX = "pages-"
#: Pages in one part, one request and one upsert.
BATCH_PAGES = 4


@dataclass(frozen=True, slots=True)
class PageArchive:
    """Which model made a document's page vectors, and the pages' sizes in points.

    ``points`` is the number of pages that have vectors: some are blank and some failed.
    """

    fingerprint: str
    model: str
    sizes: tuple[tuple[float, float], ...]
    points: int

    @property
    def pages(self) -> int:
        """How many pages the document has."""
        return len(self.sizes)

    def page(self, number: int) -> Page:
        """Return a page (from 1)."""
        return Page(number, *self.sizes[number - 1])

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return -(-self.pages // BATCH_PAGES)

    def to_json(self) -> dict[str, object]:
        """As plain values for any JSON writer."""
        return {
            "fingerprint": self.fingerprint,
            "model": self.model,
            "sizes": self.sizes,
            "points": self.points,
        }

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """Return what ``to_json`` wrote."""
        # Some archives of before hold the pages' labels as well.
        sizes = tuple((float(width), float(height)) for width, height, *_ in value["sizes"])
        return cls(str(value["fingerprint"]), str(value["model"]), sizes, int(value["points"]))


def batch_of(page: int) -> int:
    """Return which batch holds a page (from 1)."""
    return (page - 1) // BATCH_PAGES


def batch_part(batch: int) -> str:
    """Return the part of a batch."""
    return f"{BATCH_PREFIX}{batch:06d}"


def packed(pages: Mapping[int, PageVectors | PageFailure]) -> bytes:
    """Return the pages of a batch, by number, as the bytes of its file."""
    arrays: dict[str, Any] = {}
    for number, page in pages.items():
        if isinstance(page, PageFailure):
            arrays[f"{number}.failure"] = np.array([page.message, page.code])
            continue
        arrays |= {f"{number}.vectors": page.vectors, f"{number}.rows": page.rows, f"{number}.cols": page.cols}
        if page.grid is not None:
            arrays[f"{number}.grid"] = np.array(page.grid, dtype=np.int32)
        else:
            arrays[f"{number}.regions"] = np.array(page.regions, dtype=np.float32).reshape(-1, 4)
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def unpacked(content: bytes) -> dict[int, PageVectors | PageFailure]:
    """Return what ``packed`` was given."""
    pages: dict[int, PageVectors | PageFailure] = {}
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        for number in sorted({int(name.partition(".")[0]) for name in arrays.files}):
            of_page = {name.partition(".")[2]: arrays[name] for name in arrays.files if name.startswith(f"{number}.")}
            pages[number] = _page(of_page)
    return pages


def _page(arrays: Mapping[str, Any]) -> PageVectors | PageFailure:
    if "failure" in arrays:
        message, code = map(str, arrays["failure"])
        return PageFailure(message, code)
    grid = tuple(map(int, arrays["grid"])) if "grid" in arrays else None
    regions = tuple(Box(*map(float, box)) for box in arrays["regions"]) if "regions" in arrays else None
    return PageVectors(arrays["vectors"], arrays["rows"], arrays["cols"], grid, regions)  # type: ignore[arg-type]
