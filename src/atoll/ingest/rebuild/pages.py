"""The derived collection of pages, made again from the vectors that stage embed left."""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence

from atoll.domain.artefact import Artefact, artefact_of
from atoll.domain.document import Stage
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.errors import ArtefactMissing
from atoll.ingest.rebuild.differences import differing, documents_of, overtaken
from atoll.ingest.rebuild.expected import QUIET_SECONDS, Expected
from atoll.ingest.stages.embed_pages import read_archive, read_pages
from atoll.ingest.stages.index_pages import page_points
from atoll.ingest.workshop import BATCH_PASSAGES
from atoll.ports.artefacts import Artefacts
from atoll.ports.index_source import IndexedDocument, IndexedKb, IndexSource
from atoll.ports.page_index import PageIndex


class PageCollection:
    """``DerivedCollection`` of pages. How many there should be is known from a part of each document's output."""

    def __init__(
        self,
        source: IndexSource,
        index: PageIndex,
        artefacts: Artefacts,
        *,
        quiet_seconds: float = QUIET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._index = index
        self._artefacts = artefacts
        self._expected = Expected(self._all_points, quiet_seconds=quiet_seconds, clock=clock)

    async def bounds(self, kb: IndexedKb) -> tuple[int, int]:
        """Return how many points there must and may be: those of documents on their way in or out are not counted."""
        return await self._expected.least(kb), sys.maxsize

    async def prepare(self) -> None:
        """Do nothing: the collection of a model is made when its first page is written."""

    async def count(self, kb: KbUid) -> int:
        """Count."""
        points = await self._index.count(kb)
        self._expected.counted(kb, points)
        return points

    async def refill(self, kb: IndexedKb, *, everything: bool) -> AsyncIterator[tuple[int, int]]:
        """Write the pages of documents whose number of points is another."""
        self._expected.rebuilt(kb.uid)
        async for documents in documents_of(self._source, kb.uid):
            points = await self._points(kb.uid, documents)
            wanted = points if everything else await differing(self._index, kb.uid, points)
            intact = sum(number for uid, number in points.items() if uid not in wanted)
            if intact:
                yield intact, 0
            for document in documents:
                if document.uid in wanted:
                    async for written in self._write(kb.uid, document):
                        yield written, written
            written_to = {each.uid: each.labels for each in documents if each.uid in wanted}
            await self._index.delete(kb.uid, await overtaken(self._index, self._source, kb.uid, written_to))

    async def sweep(self, kb: KbUid | None) -> int:
        """Leave points too many where they are: they cost a look into the record store and nothing else."""
        del kb
        return 0

    async def _all_points(self, kb: KbUid) -> int:
        batches = [await self._points(kb, documents) async for documents in documents_of(self._source, kb)]
        return sum(sum(batch.values()) for batch in batches)

    async def _points(self, kb: KbUid, documents: Sequence[IndexedDocument]) -> dict[DocumentUid, int]:
        archives = {each.uid: await read_archive(self._artefacts, _output(kb, each)) for each in documents}
        return {uid: archive.points for uid, archive in archives.items() if archive is not None}

    async def _write(self, kb: KbUid, document: IndexedDocument) -> AsyncIterator[int]:
        output = _output(kb, document)
        archive = await read_archive(self._artefacts, output)
        if archive is None:
            return
        passages = await self._passages_by_page(kb, document.uid)
        for batch in range(archive.batches):
            try:
                pages = await read_pages(self._artefacts, output, batch)
            except ArtefactMissing:  # purged meanwhile
                return
            points = page_points(output, document.labels, pages, passages)
            await self._index.upsert(archive.fingerprint, points)
            yield len(points)

    async def _passages_by_page(self, kb: KbUid, document: DocumentUid) -> defaultdict[int, list[PassageId]]:
        found: defaultdict[int, list[PassageId]] = defaultdict(list)
        after = -1
        while True:
            batch = (await self._source.passages(kb, document, after=after, limit=BATCH_PASSAGES)).passages
            if not batch:
                return found
            for passage in batch:
                found[passage.page].append(passage.id)
            after = batch[-1].ordinal


def _output(kb: KbUid, document: IndexedDocument) -> Artefact:
    return artefact_of(kb, document.uid, Stage.EMBED, document.artefacts)
