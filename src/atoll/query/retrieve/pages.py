"""Pages whose image, or whose lines, answer the question by late interaction."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import orjson
from numpy.typing import NDArray

from atoll.domain.artefact import Artefact
from atoll.domain.embedding import EmbedderCard
from atoll.domain.ids import DocumentUid
from atoll.domain.page import Box, Page
from atoll.domain.page_archive import ARCHIVE, PageArchive, batch_of, batch_part, unpacked
from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageHit, PageQuery, PageSearch, PageVectors
from atoll.errors import ArtefactMissing, AtollError, NotAvailable, NotFound
from atoll.ports.artefacts import Artefacts
from atoll.ports.page_index import PageIndex
from atoll.ports.pages import PageEmbedder
from atoll.query.search.timings import Timings
from atoll.query.search.window import Window

#: Length of the list of pages.
PAGE_DEPTH = 50
#: Documents of a ranking whose pages are looked at by a model that reads lines, and how many of these pages count.
LINES_DOCUMENTS = LINES_PAGES = 20
#: How long it is believed which page model runs.
CARD_SECONDS = 60.0
#: How long the page-image server is left alone by those who can do without it, once it did not answer.
AWAY_SECONDS = 5.0
#: Boxes of a page that are shown, and the share of the best one's MaxSim that a further one must have.
MAX_BOXES = 3
_NEAR_BEST = 0.9
#: Lines that one box may hold: a sentence rarely takes more. Of 30 answers, single lines met 18 and such runs 25.
BOX_LINES = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class PageView:
    """Where on a page a question is answered: ``likeness`` is (count,), from 0 to 1, for each place of ``vectors``.

    ``boxes`` are the cells, or runs of lines, that answer best, the best one first.
    """

    page: Page
    vectors: PageVectors
    likeness: NDArray[np.float32]
    boxes: tuple[Box, ...]


class PageRetriever:
    """Finds pages and looks at them.

    Args:
        patience_seconds: bounds the wait of those who can do without pages.
        text_model: what passages and questions are embedded with.
    """

    def __init__(
        self,
        *,
        embedder: PageEmbedder,
        index: PageIndex,
        artefacts: Artefacts,
        patience_seconds: float = 2.0,
        text_model: EmbedderCard | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._embedder = embedder
        self._index = index
        self._artefacts = artefacts
        self._patience_seconds = patience_seconds
        self._text_model = text_model
        self._clock = clock
        self._away_until = -float("inf")
        self._card: PageEmbedderCard | None = None
        self._card_until = -float("inf")

    async def lines_fingerprint(self) -> str | None:
        """Return the page model's fingerprint when it embeds lines as passages are embedded, else None.

        The vector of a question then serves for pages too, and nobody needs to ask the page-image server.
        """
        if self._clock() >= self._card_until:
            self._card_until = self._clock() + AWAY_SECONDS
            try:
                async with asyncio.timeout(self._patience_seconds):
                    self._card = await self._embedder.describe()
                self._card_until = self._clock() + CARD_SECONDS
            except (AtollError, TimeoutError) as error:
                self._leave_alone(error)  # what was known goes on; only without that has anybody to ask the server
        card, text_model = self._card, self._text_model
        if card is None or text_model is None or card.needs_images:
            return None
        is_same = (card.weights, card.dimensions) == (text_model.fingerprint, text_model.dimensions)
        return card.fingerprint if is_same else None

    async def ask(self, text: str, timings: Timings, *, needed: bool) -> PageQuery | None:
        """Return a question as a late-interaction query; None when it is not ``needed`` and cannot be had soon.

        The timing ``embed_pages`` says that it was had, ``pages_missing`` that the search goes on without pages.

        Raises:
            DependencyDown, ModelReplyInvalid: it is needed, and the page-image server is away.
        """
        if needed:
            with timings.step("embed_pages"):
                return (await self._embedder.embed_queries([text]))[0]
        began = self._clock()
        if began < self._away_until:
            timings.add("pages_missing", 0.0)
            return None
        try:
            async with asyncio.timeout(self._patience_seconds):
                (query,) = await self._embedder.embed_queries([text])
        except (AtollError, TimeoutError) as error:
            self._leave_alone(error)
            timings.add("pages_missing", (self._clock() - began) * 1000)
            return None
        timings.add("embed_pages", (self._clock() - began) * 1000)
        return query

    def _leave_alone(self, error: AtollError | TimeoutError) -> None:
        self._away_until = self._clock() + AWAY_SECONDS
        reason = error.message if isinstance(error, AtollError) else f"no answer in {self._patience_seconds:g} s"
        _log.warning("the page-image server is left alone for a while: %s", reason)

    async def search(self, window: Window, query: PageQuery) -> list[PageHit]:
        """Return the best pages, with room for hidden ones."""
        return await self._index.search(page_search(window, query))

    async def among(self, window: Window, query: PageQuery, documents: Sequence[DocumentUid]) -> list[PageHit]:
        """Return the best pages of some documents that are visible."""
        return await self._index.search(
            PageSearch(window.reader, query, LINES_PAGES, include_documents=tuple(documents))
        )

    async def look(self, embedded: Artefact, page: int, query: PageQuery) -> PageView:
        """Return where on a page a question is answered, from the stored vectors; whoever calls checks visibility.

        Args:
            embedded: the output of the document's stage embed.
            page: its number, from 1.
            query: the question, as the page embedder gave it.

        Raises:
            NotFound: the page has no vectors, because it failed or the document was ingested without them.
            NotAvailable: they were made by another model than the question's.
        """
        try:
            archive = PageArchive.from_json(orjson.loads(await self._artefacts.get(embedded, ARCHIVE)))
            if archive.fingerprint != query.fingerprint:
                raise NotAvailable(
                    f"the pages of this document were embedded by {archive.model}, which is not the model that runs "
                    "now; reprocess it"
                )
            content = await self._artefacts.get(embedded, batch_part(batch_of(page)))
        except ArtefactMissing as error:
            raise _without_vectors(page) from error
        return await asyncio.to_thread(_view, content, archive, page, query)


def page_search(window: Window, query: PageQuery) -> PageSearch:
    """Return the search for the pages that answer best."""
    limit = PAGE_DEPTH + window.room
    return PageSearch(window.reader, query, limit, window.include, window.exclude)


def _view(content: bytes, archive: PageArchive, page: int, query: PageQuery) -> PageView:
    found = unpacked(content).get(page)
    if found is None or isinstance(found, PageFailure):
        raise _without_vectors(page)
    return view_of(archive.page(page), found, query)


def _without_vectors(page: int) -> NotFound:
    return NotFound(f"page {page} of this document has no page vectors")


def view_of(page: Page, vectors: PageVectors, query: PageQuery) -> PageView:
    """Return where on a page a question is answered."""
    if not len(vectors.vectors):
        return PageView(page, vectors, np.zeros(0, dtype=np.float32), ())
    similarities: NDArray[np.float32] = query.vectors @ vectors.vectors.astype(np.float32).T
    return PageView(page, vectors, _likeness(similarities), _boxes(page, vectors, similarities))


def _boxes(page: Page, vectors: PageVectors, similarities: NDArray[np.float32]) -> tuple[Box, ...]:
    """Return the best places by a MaxSim of their own; none shares a line with a better one."""
    places = [[at] for at in range(len(vectors.vectors))] if vectors.regions is None else _runs(vectors.regions)
    scores = [float(similarities[:, place].max(axis=1).sum()) for place in places]
    taken: set[int] = set()
    boxes: list[Box] = []
    for at in sorted(range(len(places)), key=lambda at: (-scores[at], len(places[at]), at)):
        if len(boxes) == MAX_BOXES or (boxes and scores[at] < _NEAR_BEST * max(scores)):
            break
        if taken.isdisjoint(places[at]):
            taken.update(places[at])
            boxes.append(reduce(Box.union, (vectors.box_of(each, page) for each in places[at])).rounded())
    return tuple(boxes)


def _runs(regions: Sequence[Box]) -> list[list[int]]:
    """Return for each line the run of at most ``BOX_LINES`` that goes on below it in its column."""
    runs = []
    for start in range(len(regions)):
        run = [start]
        while len(run) < BOX_LINES and run[-1] + 1 < len(regions) and _below(regions[run[-1]], regions[run[-1] + 1]):
            run.append(run[-1] + 1)
        runs.append(run)
    return runs


def _below(above: Box, below: Box) -> bool:
    height = max(above.y1 - above.y0, below.y1 - below.y0)
    overlap = min(above.x1, below.x1) - max(above.x0, below.x0)
    return overlap > 0 and -height / 2 <= below.y0 - above.y1 <= height


def _likeness(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what each place adds to the answer, the best place 1 and the least 0.

    A row of the query that is alike everywhere on the page tells no places apart: each row counts by how far a place
    stands out from the page's mean.
    """
    told: NDArray[np.float32] = np.maximum(similarities - similarities.mean(axis=1, keepdims=True), 0.0).sum(axis=0)
    spread = float(told.max() - told.min())
    stretched: NDArray[np.float32] = (told - told.min()) / spread if spread > 0 else np.zeros_like(told)
    return stretched
