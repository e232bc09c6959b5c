"""Pages as evidence: the page, the places on it that answer best, and the passage that stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from atoll.domain.artefact import Artefact
from atoll.domain.document import Stage
from atoll.domain.evidence import Evidence, EvidenceKind
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.page import Box
from atoll.domain.page_vectors import PageQuery
from atoll.domain.passage import Passage
from atoll.errors import NotAvailable, NotFound
from atoll.query.rank.fuse_pages import RankedPage
from atoll.query.retrieve.pages import PageRetriever, PageView
from atoll.query.text.phrases import contains_all

#: Scores of evidence whose order is not decided by score alone.
_BEST, _WORST = 1.0, 0.0


@dataclass(frozen=True, slots=True)
class PageReader:
    """Looks at pages with the eyes of one question."""

    retriever: PageRetriever
    kb: KbUid
    query: PageQuery

    async def joined(
        self,
        passages: Sequence[Evidence],
        pages: Sequence[RankedPage],
        names: Mapping[DocumentUid, str],
        texts: Mapping[PassageId, Passage],
        top_k: int,
    ) -> tuple[Evidence, ...]:
        """Return the ``top_k`` best of both, ranks counted anew; ``texts`` holds the passages on the pages."""
        entries = _at_their_places(passages, [(page.ahead, _evidence(page, names, texts)) for page in pages])[:top_k]
        keys = {(page.document, page.page): page.key for page in pages}
        return tuple(
            [
                await self._looked_at(entry, keys[entry.document_id, entry.page], texts)
                if entry.kind is EvidenceKind.PAGE
                else entry
                for entry in entries
            ]
        )

    async def _looked_at(self, entry: Evidence, key: str, texts: Mapping[PassageId, Passage]) -> Evidence:
        embedded = Artefact(self.kb, entry.document_id, Stage.EMBED, key)
        try:
            view = await self.retriever.look(embedded, entry.page, self.query)
        except (NotFound, NotAvailable):  # removed or ingested anew meanwhile: the page itself was visible
            return entry
        on_page = [text for text in texts.values() if text.document == entry.document_id and text.page == entry.page]
        return _with_view(entry, view, on_page)


def speaks(page: RankedPage, texts: Mapping[PassageId, Passage], phrases: tuple[str, ...]) -> bool:
    """Return whether a page holds all quoted phrases; a page without text holds none."""
    if not phrases:
        return True
    whole = "\n".join(texts[passage].text for passage in page.passages if passage in texts)
    return contains_all(whole, phrases)


def _evidence(page: RankedPage, names: Mapping[DocumentUid, str], texts: Mapping[PassageId, Passage]) -> Evidence:
    """Return a page as evidence, with its first passage for the time being."""
    passage = next((texts[each] for each in page.passages if each in texts), None)
    return Evidence(
        kind=EvidenceKind.PAGE,
        rank=0,
        score=page.score,
        document_id=page.document,
        document=names[page.document],
        page=page.page,
        boxes=(),
        text="" if passage is None else passage.text,
        passage_id=None if passage is None else passage.id,
        signals={"pages": page.signal},
    )


def _at_their_places(passages: Sequence[Evidence], pages: Sequence[tuple[int, Evidence]]) -> list[Evidence]:
    """Return each page behind as many passages as are ahead of it, with a score that keeps the list sorted."""
    merged: list[Evidence] = []
    rest = list(pages)
    for at, passage in enumerate([*passages, None]):
        while rest and (passage is None or rest[0][0] <= at):
            page = rest.pop(0)[1]
            above = merged[-1].score if merged else _BEST
            below = _WORST if passage is None else passage.score
            merged.append(replace(page, score=min(max(page.score, below), above)))
        if passage is not None:
            merged.append(passage)
    return [replace(entry, rank=rank) for rank, entry in enumerate(merged, start=1)]


def _with_view(entry: Evidence, view: PageView, passages: Sequence[Passage]) -> Evidence:
    """Return a page with the boxes of its best places, and the passage that stands there."""
    boxes = view.boxes
    # The best place counts most: the passage that covers it wins, whatever else it covers.
    nearest = max(
        sorted(passages, key=lambda passage: passage.ordinal),
        key=lambda passage: [sum(_overlap(box, place) for box in passage.boxes) for place in boxes],
        default=None,
    )
    if nearest is None:
        return replace(entry, boxes=boxes)
    return replace(entry, boxes=boxes, text=nearest.text, passage_id=nearest.id)


def _overlap(first: Box, second: Box) -> float:
    """Return the area that two boxes share, in square points."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return max(width, 0.0) * max(height, 0.0)
