"""Pages as evidence: the page, the places on it that answer best, and the passage that stands there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from atoll.domain.evidence import Evidence, EvidenceKind
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Passage
from atoll.query.fuse import Ranked
from atoll.query.fuse_pages import RankedPage
from atoll.query.phrases import contains_all
from atoll.query.retrieve.pages import PageView


def worth_reading(pages: Sequence[RankedPage], ranking: Sequence[Ranked], top_k: int, room: int) -> list[RankedPage]:
    """Return the pages that may be among the ``top_k`` best; ``room`` passages may turn out to be the same text."""
    floor = ranking[top_k + room - 1].score if len(ranking) >= top_k + room else -1.0
    return [page for page in pages[:top_k] if page.score >= floor]


def speaks(page: RankedPage, texts: Mapping[PassageId, Passage], phrases: tuple[str, ...]) -> bool:
    """Return whether a page holds all quoted phrases; a page without text holds none."""
    if not phrases:
        return True
    whole = "\n".join(texts[passage].text for passage in page.passages if passage in texts)
    return contains_all(whole, phrases)


def page_evidence(page: RankedPage, names: Mapping[DocumentUid, str], texts: Mapping[PassageId, Passage]) -> Evidence:
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


def merged(passages: Sequence[Evidence], pages: Sequence[Evidence]) -> list[Evidence]:
    """Return both by score, passages before pages where it is equal, ranks counted anew."""
    ordered = sorted((*passages, *pages), key=lambda entry: -entry.score)
    return [replace(entry, rank=rank) for rank, entry in enumerate(ordered, start=1)]


def stands_on(passage: Passage, entry: Evidence) -> bool:
    """Return whether a passage stands on the page of a piece of evidence."""
    return passage.document == entry.document_id and passage.page == entry.page


def with_view(entry: Evidence, view: PageView, passages: Sequence[Passage]) -> Evidence:
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
