"""Where a derived collection differs from the record store: before points are written, and after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid
from atoll.ports.index_labels import IndexLabels
from atoll.ports.index_source import IndexedDocument, IndexSource

_BATCH_DOCUMENTS = 128


class Counted(Protocol):
    """An index that counts the points of documents."""

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Return the exact number."""
        ...


async def documents_of(source: IndexSource, kb: KbUid) -> AsyncIterator[Sequence[IndexedDocument]]:
    """Yield the visible documents of a knowledge base in batches."""
    after: DocumentUid | None = None
    while documents := await source.documents(kb, after=after, limit=_BATCH_DOCUMENTS):
        after = documents[-1].uid
        yield documents


async def differing(index: Counted, kb: KbUid, points: Mapping[DocumentUid, int]) -> frozenset[DocumentUid]:
    """Return the documents that have another number of points in the index than in ``points``."""
    held = await index.count(kb, list(points))
    if held == sum(points.values()):
        return frozenset()
    if held == 0:
        return frozenset(uid for uid, number in points.items() if number)
    return frozenset([uid for uid, number in points.items() if await index.count(kb, [uid]) != number])


async def overtaken(
    index: IndexLabels, source: IndexSource, kb: KbUid, written: Mapping[DocumentUid, Sequence[str]]
) -> list[DocumentUid]:
    """Return the documents that were deleted or replaced while their points were written, with the labels ``written``.

    Their purge may have looked for points before these were there, so that whoever wrote them takes them back. A
    document that is deleted after this look finds them. For the same reason the points of documents that have other
    labels by now get these.
    """
    if not written:
        return []
    visible = await source.visible(kb, list(written))
    for uid, labels in written.items():
        if uid in visible and set(visible[uid]) != set(labels):
            await index.relabel(kb, uid, visible[uid])
    return [uid for uid in written if uid not in visible]
