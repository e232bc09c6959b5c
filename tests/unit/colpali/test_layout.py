from __future__ import annotations

import numpy as np
import pytest

from atoll.serving.errors import ModelFailed
from colpali.layout import on_grid, tiles_to_raster, unit


def rows_of(count: int, dimensions: int = 16) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, dimensions)).astype(np.float32)


def test_tile_order_becomes_raster_order():
    columns, rows, side = 3, 2, 4
    raster = np.arange(rows * side * columns * side)
    cells = raster.reshape(rows * side, columns * side)
    tile_after_tile = np.concatenate(
        [
            cells[row * side : (row + 1) * side, column * side : (column + 1) * side].ravel()
            for row in range(rows)
            for column in range(columns)
        ]
    )
    assert not np.array_equal(tile_after_tile, raster)
    arranged = tiles_to_raster(tile_after_tile[:, None].astype(np.float32), columns=columns, rows=rows, side=side)
    np.testing.assert_array_equal(arranged[:, 0], raster)


def test_a_grid_s_means_run_along_its_rows_and_columns():
    columns, rows = 3, 2
    vectors = rows_of(columns * rows)
    page = on_grid(vectors, columns=columns, rows=rows)
    assert page.grid == (3, 2)
    assert (page.vectors.shape, page.rows.shape, page.cols.shape) == ((6, 16), (2, 16), (3, 16))
    np.testing.assert_allclose(
        np.linalg.norm(np.concatenate([page.vectors, page.rows, page.cols]), axis=1), 1, atol=1e-5
    )
    second_row = page.vectors[3:].mean(axis=0)
    third_column = page.vectors[[2, 5]].mean(axis=0)
    np.testing.assert_allclose(page.rows[1], second_row / np.linalg.norm(second_row), atol=1e-6)
    np.testing.assert_allclose(page.cols[2], third_column / np.linalg.norm(third_column), atol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_vectors_that_cannot_be_compared_are_refused(value):
    vectors = rows_of(4)
    vectors[2] = value
    with pytest.raises(ModelFailed, match="finite"):
        unit(vectors)


def test_a_count_that_is_not_the_grid_s_is_refused():
    with pytest.raises(ModelFailed, match="5 vectors for a grid of 3 x 2"):
        on_grid(rows_of(5), columns=3, rows=2)


def test_vectors_that_cancel_out_still_have_a_mean_of_length_one():
    page = on_grid(np.array([[1.0, 0.0], [-1.0, 0.0]], dtype=np.float32), columns=2, rows=1)
    np.testing.assert_allclose(np.linalg.norm(page.rows, axis=1), 1)
