"""Passages as evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from atoll.domain.evidence import Evidence, EvidenceKind
from atoll.domain.ids import DocumentUid
from atoll.domain.passage import Passage
from atoll.query.rank.fuse import Ranked
from atoll.query.rank.near_duplicates import Shared


def described(evidence: Iterable[Evidence], passages: Iterable[Passage]) -> tuple[Evidence, ...]:
    """Return evidence with what is told of its documents, as far as a passage of them is among those that were read."""
    cards = {passage.document: passage.card for passage in passages if passage.card is not None}
    return tuple(
        replace(entry, source=card.source, version=card.version, created_at=card.created_at)
        if (card := cards.get(entry.document_id)) is not None
        else entry
        for entry in evidence
    )


def passage_evidence(
    ranking: Sequence[Ranked], names: Mapping[DocumentUid, str], shared: Sequence[Shared]
) -> list[Evidence]:
    """Return texts of a ranking as evidence; ``names`` are those of its documents."""
    by_id = {ranked.id: ranked for ranked in ranking}
    return [
        Evidence(
            kind=EvidenceKind.PASSAGE,
            rank=rank,
            score=by_id[entry.passage.id].score,
            document_id=entry.passage.document,
            document=names[entry.passage.document],
            page=entry.passage.page,
            boxes=entry.passage.boxes,
            text=entry.passage.text,
            passage_id=entry.passage.id,
            signals=by_id[entry.passage.id].signals,
            path=by_id[entry.passage.id].path,
            also_in=entry.also_in,
        )
        for rank, entry in enumerate(shared, start=1)
    ]
