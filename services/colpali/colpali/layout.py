"""From raw vectors to a page: order, unit length, and means for the first stage of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from atoll.serving.errors import ModelFailed
from colpali.backend import Box, PageVectors, Vectors

#: Bands of a page without a grid. Lines are wide and low: where they stand matters more from top to bottom.
ROW_BANDS, COLUMN_BANDS = 16, 4


def unit(vectors: Vectors) -> Vectors:
    """Return the rows at length 1.

    Raises:
        ModelFailed: a row is zero or not finite.
    """
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or not (norms > 0).all():
        raise ModelFailed("the model gave a vector that is zero or not finite")
    rows: Vectors = (vectors / norms).astype(np.float32)
    return rows


def tiles_to_raster(vectors: Vectors, *, columns: int, rows: int, side: int) -> Vectors:
    """Bring vectors from tile order into raster order.

    Idefics3 and its kin cut a page into ``columns`` x ``rows`` tiles of ``side`` x ``side`` vectors and emit them
    tile after tile. ``vectors`` has shape (columns * rows * side * side, dimensions).
    """
    tiles = vectors.reshape(rows, columns, side, side, -1)
    return np.ascontiguousarray(tiles.swapaxes(1, 2).reshape(len(vectors), -1))


def on_grid(vectors: Vectors, *, columns: int, rows: int) -> PageVectors:
    """Return the page of ``vectors`` in raster order.

    Raises:
        ModelFailed: their number is not that of the cells, or one is not finite.
    """
    if len(vectors) != columns * rows:
        raise ModelFailed(f"the model gave {len(vectors)} vectors for a grid of {columns} x {rows}")
    vectors = unit(vectors)
    cells = vectors.reshape(rows, columns, -1)
    return PageVectors(vectors, rows=_means(cells), cols=_means(cells.swapaxes(0, 1)), grid=(columns, rows))


def on_regions(vectors: Vectors, boxes: Sequence[Box], *, width: float, height: float) -> PageVectors:
    """Return the page of one vector a box; rows and columns are means over the bands that hold a box's centre.

    Raises:
        ModelFailed: a vector is not finite.
    """
    vectors = unit(vectors)
    across = _bands(boxes, lambda box: (box[0] + box[2]) / 2 / width, COLUMN_BANDS)
    down = _bands(boxes, lambda box: (box[1] + box[3]) / 2 / height, ROW_BANDS)
    return PageVectors(
        vectors,
        rows=_stacked([vectors[members] for members in down], vectors.shape[1]),
        cols=_stacked([vectors[members] for members in across], vectors.shape[1]),
        regions=tuple(boxes),
    )


def _bands(boxes: Sequence[Box], centre: Callable[[Box], float], count: int) -> Iterator[list[int]]:
    """Yield the boxes of each band that has any; ``centre`` is a share of the page's side."""
    members: list[list[int]] = [[] for _ in range(count)]
    for at, box in enumerate(boxes):
        members[min(count - 1, max(0, int(count * centre(box))))].append(at)
    yield from filter(None, members)


def _stacked(groups: Sequence[Vectors], dimensions: int) -> Vectors:
    return np.stack([_mean(group) for group in groups]) if groups else np.zeros((0, dimensions), dtype=np.float32)


def _means(groups: Vectors) -> Vectors:
    return _stacked(list(groups), groups.shape[-1])


def _mean(group: Vectors) -> Vectors:
    """Return the direction of the mean; vectors that cancel out leave the first of them."""
    mean = group.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    direction: Vectors = (mean / norm if norm > np.finfo(np.float32).eps else group[0]).astype(np.float32)
    return direction
