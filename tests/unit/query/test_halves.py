"""Every half there is, widened."""

from __future__ import annotations

import numpy as np

from atoll.query.retrieve.half_precision import widened


def test_every_finite_half_becomes_the_same_number():
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)].reshape(-1, 2)  # normal and subnormal numbers, both zeros
    wide = widened(halves)
    assert wide.dtype == np.float32
    assert wide.shape == halves.shape
    assert np.array_equal(wide.view(np.uint32), halves.astype(np.float32).view(np.uint32))
