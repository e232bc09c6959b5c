"""Passages as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.domain.evidence import Evidence, EvidenceKind
from atoll.domain.ids import DocumentUid
from atoll.query.rank.fuse import Ranked
from atoll.query.rank.near_duplicates import Shared


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
