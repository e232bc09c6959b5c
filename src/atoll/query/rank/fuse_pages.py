"""Pages beside passages in one ranking.

Scores of late interaction are sums over the question's vectors: only their differences say something, so that the
list is stretched like that of the dense signal. A page with passages speaks for the best of them; one without any, a
scan or a drawing, stands for itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atoll.domain.artefact import UNKEYED
from atoll.domain.evidence import Signal
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page_vectors import PageHit
from atoll.query.rank.fuse import DECIMALS, Ranked, stretched

#: What the best page adds to a passage that the text lists rank between 0 and 1, where two signals of 0.5 each judged
#: its text already. A model that sees the page may settle what these leave open. One that reads its lines knows nothing
#: new: it may break ties, and measurably loses passages when it does more.
SUPPORT_SEEN, SUPPORT_READ = 0.3, 0.05
#: What a page counts whose text nobody could read: the one signal there is weighs as much as any other.
ALONE = 0.5


@dataclass(frozen=True, slots=True)
class RankedPage:
    """A page that no ranked passage speaks for, and how many passages are ``ahead`` of it.

    Later steps rank passages anew on scales of their own. A page does not take part in them: it keeps its place.
    ``key`` is that of stage embed's output, which keeps its vectors.
    """

    document: DocumentUid
    page: int
    score: float
    ahead: int
    signal: Signal
    passages: tuple[PassageId, ...]
    key: str = UNKEYED


def fuse_pages(
    ranking: Sequence[Ranked], hits: Sequence[PageHit], *, sees: bool
) -> tuple[list[Ranked], list[RankedPage]]:
    """Return the passages with what pages add, and the pages that stand for themselves; both best first.

    ``sees`` is as of `PageQuery`. The best passage has a score of exactly 1, and so has a page that is ahead of it.
    """
    if not hits:
        return list(ranking), []
    support = SUPPORT_SEEN if sees else SUPPORT_READ
    place = {ranked.id: at for at, ranked in enumerate(ranking)}
    passages = list(ranking)
    pages: list[RankedPage] = []
    for rank, (hit, part) in enumerate(zip(hits, stretched([hit.score for hit in hits]), strict=True), start=1):
        signal = Signal(rank, hit.score)
        known = [place[passage] for passage in hit.passages if passage in place]
        if known:
            best = passages[min(known)]
            passages[min(known)] = best._replace(
                score=best.score + support * part, signals={**best.signals, "pages": signal}
            )
        else:
            weight = support if hit.passages else ALONE
            pages.append(RankedPage(hit.document_uid, hit.page, weight * part, 0, signal, hit.passages, hit.key))
    passages.sort(key=lambda ranked: (-ranked.score, ranked.id))
    top = passages[0].score if passages else 0.0
    ahead = [-each.score for each in passages]
    placed = [
        replace(page, score=min(_share(page.score, top), 1.0), ahead=bisect_right(ahead, -page.score)) for page in pages
    ]
    shared = [Ranked(passage, _share(score, top), signals, path) for passage, score, signals, path in passages]
    return shared, _in_order(placed)


def pages_alone(hits: Sequence[PageHit]) -> list[RankedPage]:
    """Return the pages as a ranking of their own."""
    return _in_order(
        [
            RankedPage(
                hit.document_uid, hit.page, round(part, DECIMALS), 0, Signal(rank, hit.score), hit.passages, hit.key
            )
            for rank, (hit, part) in enumerate(zip(hits, stretched([hit.score for hit in hits]), strict=True), start=1)
        ]
    )


def _in_order(pages: list[RankedPage]) -> list[RankedPage]:
    return sorted(pages, key=lambda page: (page.ahead, -page.score, page.document, page.page))


def _share(score: float, top: float) -> float:
    return round(score / top, DECIMALS) if top > 0 else 0.0
