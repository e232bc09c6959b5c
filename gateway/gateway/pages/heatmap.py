"""What a page view is to the parser, which draws it."""

from __future__ import annotations

import numpy as np

from atoll.domain.page import HeatMap
from atoll.query.retrieve.pages import PageView

#: Boxes that are lit, of a page whose lines were read: the others are cold.
MAX_BOXES = 500


def heat_of(view: PageView) -> HeatMap:
    """Return how warm each place of a page is; of boxes, the ``MAX_BOXES`` warmest."""
    levels = np.round(view.likeness * 255).astype(np.uint8)
    if view.vectors.grid is not None:
        return HeatMap(levels.tobytes(), view.vectors.grid)
    warmest = np.argsort(levels, kind="stable")[-MAX_BOXES:]
    boxes = tuple(view.vectors.box_of(at, view.page).rounded() for at in warmest.tolist())
    return HeatMap(levels[warmest].tobytes(), None, boxes)
