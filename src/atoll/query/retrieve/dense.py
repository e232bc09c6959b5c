"""Passages whose meaning is near the question's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from atoll.domain.vectors import VectorSearch
from atoll.query.search.window import Window


def dense_search(window: Window, vector: NDArray[np.float32]) -> VectorSearch:
    """Return the search for the passages nearest to a unit vector of shape (dimensions,)."""
    return VectorSearch(window.reader, vector, window.limit, window.include, window.exclude)
