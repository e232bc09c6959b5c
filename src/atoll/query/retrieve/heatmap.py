"""What a page view is to the parser, which draws it."""

from __future__ import annotations

import numpy as np

from atoll.domain.artefact import Artefact
from atoll.domain.page import HeatMap
from atoll.query.retrieve.pages import PageRetriever, PageView
from atoll.query.search.timings import Timings

#: Boxes that are lit, of a page whose lines were read: the others are cold.
MAX_BOXES = 500


class PageHeat:
    """Port ``Heat``."""

    def __init__(self, retriever: PageRetriever) -> None:
        self._retriever = retriever

    async def of_page(self, embedded: Artefact, page: int, question: str) -> HeatMap:
        """Return how warm each place of a page is, by the stored page vectors."""
        query = await self._retriever.ask(question, Timings(), needed=True)
        assert query is not None, "it was needed"
        return heat_of(await self._retriever.look(embedded, page, query))


def heat_of(view: PageView) -> HeatMap:
    """Return how warm each place of a page is; of boxes, the ``MAX_BOXES`` warmest."""
    levels = np.round(view.likeness * 255).astype(np.uint8)
    if view.vectors.grid is not None:
        return HeatMap(levels.tobytes(), view.vectors.grid)
    warmest = np.argsort(levels, kind="stable")[-MAX_BOXES:]
    boxes = tuple(view.vectors.box_of(at, view.page).rounded() for at in warmest.tolist())
    return HeatMap(levels[warmest].tobytes(), None, boxes)
