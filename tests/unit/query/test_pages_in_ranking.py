"""Where pages stand among passages, and what they add to them."""

from __future__ import annotations

import pytest

from atoll.domain.evidence import Evidence, EvidenceKind, Signal
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.page_vectors import PageHit
from atoll.errors import NotFound
from atoll.query.rank.fuse import Ranked
from atoll.query.rank.fuse_pages import SUPPORT_READ, SUPPORT_SEEN, RankedPage, fuse_pages, pages_alone
from atoll.query.rank.page_evidence import PageReader


def ranked(*scores):
    return [Ranked(PassageId(f"p{at}"), score, {"dense": Signal(at + 1, score)}) for at, score in enumerate(scores)]


def hit(document, score, *passages):
    return PageHit(DocumentUid(document), 1, score, tuple(map(PassageId, passages)))


def test_a_page_supports_the_best_of_its_passages_by_what_its_model_knows():
    for sees, support in ((True, SUPPORT_SEEN), (False, SUPPORT_READ)):
        passages, pages = fuse_pages(ranked(1.0, 0.9, 0.5), [hit("d", 9.0, "p1", "p2"), hit("e", 3.0, "p0")], sees=sees)
        assert pages == []
        assert [each.id for each in passages] == (["p1", "p0", "p2"] if sees else ["p0", "p1", "p2"])
        assert max(each.score for each in passages) == 1.0
        lifted = next(each for each in passages if each.id == "p1")
        best = max(1.0, 0.9 + support)
        assert lifted.score == round((0.9 + support) / best, 5)
        assert lifted.signals["pages"] == Signal(1, 9.0)


def test_a_page_that_no_passage_speaks_for_stands_behind_those_that_are_better():
    hits = [hit("scan", 9.0), hit("other", 6.0, "unknown"), hit("low", 3.0)]
    passages, pages = fuse_pages(ranked(1.0, 0.6, 0.4, 0.1), hits, sees=True)
    assert [(page.document, page.ahead) for page in pages] == [("scan", 2), ("other", 3), ("low", 4)]
    assert [each.score for each in passages] == [1.0, 0.6, 0.4, 0.1]
    assert [page.score for page in pages] == [0.5, 0.15, 0.0]


def test_pages_alone_and_pages_without_passages_start_at_one():
    hits = [hit("a", 9.0), hit("b", 5.0), hit("c", 1.0)]
    assert [(page.document, page.score) for page in pages_alone(hits)] == [("a", 1.0), ("b", 0.5), ("c", 0.0)]
    passages, pages = fuse_pages([], hits, sees=True)
    assert passages == []
    assert [page.ahead for page in pages] == [0, 0, 0]


class Gone:
    """A retriever whose pages were removed meanwhile."""

    async def look(self, *_):
        raise NotFound("gone")


def passage(at, score):
    return Evidence(
        kind=EvidenceKind.PASSAGE, rank=at, score=score, document_id=DocumentUid("d"), document="d.txt", page=1, boxes=(),
        text="", passage_id=PassageId(f"p{at}"), signals={},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ahead", "order", "scores"),
    [
        (0, ["page", "p1", "p2", "p3"], [1.0, 1.0, 0.9, 0.2]),
        (2, ["p1", "p2", "page", "p3"], [1.0, 0.9, 0.7, 0.2]),
        (3, ["p1", "p2", "p3", "page"], [1.0, 0.9, 0.2, 0.2]),
        (9, ["p1", "p2", "p3", "page"], [1.0, 0.9, 0.2, 0.2]),
    ],
)
async def test_a_page_keeps_its_place_and_the_list_stays_sorted(ahead, order, scores):
    reader = PageReader(Gone(), KbUid("kb"), None)
    page = RankedPage(DocumentUid("scan"), 4, 0.7, ahead, Signal(1, 9.0), ())
    found = await reader.joined(
        [passage(1, 1.0), passage(2, 0.9), passage(3, 0.2)], [page], {DocumentUid("scan"): "scan.pdf"}, {}, 10
    )
    assert [each.passage_id or "page" for each in found] == order
    assert [each.score for each in found] == scores
    assert [each.rank for each in found] == [1, 2, 3, 4]


async def test_no_more_than_wanted():
    reader = PageReader(Gone(), KbUid("kb"), None)
    pages = [RankedPage(DocumentUid("scan"), at, 0.7, 1, Signal(at, 9.0), ()) for at in (1, 2)]
    names = {DocumentUid("scan"): "scan.pdf"}
    found = await reader.joined([passage(1, 1.0), passage(2, 0.5)], pages, names, {}, 2)
    assert [(each.kind, each.page) for each in found] == [(EvidenceKind.PASSAGE, 1), (EvidenceKind.PAGE, 1)]
