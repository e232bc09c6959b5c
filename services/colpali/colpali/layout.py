"""From raw vectors to a page: order, unit length, and means for the first stage of a search."""

from __future__ import annotations

import numpy as np

from atoll.serving.errors import ModelFailed
from colpali.backend import PageVectors, Vectors


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


def _means(groups: Vectors) -> Vectors:
    return np.stack([_mean(group) for group in groups])


def _mean(group: Vectors) -> Vectors:
    """Return the direction of the mean; vectors that cancel out leave the first of them."""
    mean = group.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    direction: Vectors = (mean / norm if norm > np.finfo(np.float32).eps else group[0]).astype(np.float32)
    return direction
