"""Pages of stage index: page vectors from the document's folder -> points of the page index; no model is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.page_vectors import PageFailure, PagePoint, PageVectors
from atoll.ingest.stages.chunk import PassageIndex, read_batch
from atoll.ingest.stages.embed_pages import has_point, read_archive, read_pages
from atoll.ingest.workshop import Job


async def index_pages(job: Job, size: PassageIndex) -> int | None:
    """Upsert batch after batch; return how many pages there were, or None when the slice is over.

    Batches are counted on from those of the passages. Blank pages and pages that failed have no point.
    """
    shop, claim = job.shop, job.claim
    archive = None if shop.page_index is None else await read_archive(job.folder)
    if shop.page_index is None or archive is None:
        return 0
    passages = await _passages_by_page(job, size)
    for batch in range(max(0, claim.batch - size.batches), archive.batches):
        if job.is_over:
            return None
        pages = await read_pages(job.folder, archive, batch)
        points = page_points(claim.kb, claim.document, claim.labels, pages, passages)
        # As for passages: points carry no token of their own.
        await shop.ledger.beat(claim, shop.lease_seconds)
        await shop.page_index.upsert(archive.fingerprint, points)
        if batch + 1 < archive.batches:
            await shop.ledger.advance(
                claim,
                batch=size.batches + batch + 1,
                done=size.passages + max(pages),
                total=size.passages + archive.pages,
            )
    return archive.pages


def page_points(
    kb: KbUid,
    document: DocumentUid,
    labels: tuple[str, ...],
    pages: Mapping[int, PageVectors | PageFailure],
    passages: Mapping[int, Sequence[PassageId]],
) -> list[PagePoint]:
    """Return the points of a batch of pages; both mappings go by page number."""
    return [
        PagePoint(kb, document, labels, number, page, tuple(passages.get(number, ())))
        for number, page in pages.items()
        if has_point(page)
    ]


async def _passages_by_page(job: Job, size: PassageIndex) -> defaultdict[int, list[PassageId]]:
    found: defaultdict[int, list[PassageId]] = defaultdict(list)
    for batch in range(size.batches):
        for passage in (await read_batch(job, batch))[0]:
            found[passage.page].append(passage.id)
    return found
