"""Pages of stage index: page vectors from the document's folder -> points of the page index; no model is called."""

from __future__ import annotations

from collections import defaultdict

from atoll.domain.ids import PassageId
from atoll.domain.page_vectors import PagePoint, PageVectors
from atoll.ingest.embed_pages import read_archive, read_pages
from atoll.ingest.passages import PassageIndex, read_batch
from atoll.ingest.workshop import Job


async def index_pages(job: Job, size: PassageIndex) -> int | None:
    """Upsert batch after batch; return how many pages there were, or None when the slice is over.

    Batches are counted on from those of the passages. Blank pages and pages that failed have no point.
    """
    shop, claim = job.shop, job.claim
    archive = None if shop.page_index is None else await read_archive(job)
    if shop.page_index is None or archive is None:
        return 0
    passages = await _passages_by_page(job, size)
    for batch in range(max(0, claim.batch - size.batches), archive.batches):
        if job.is_over:
            return None
        pages = await read_pages(job, archive, batch)
        points = [
            PagePoint(claim.kb, claim.document, claim.labels, number, page, tuple(passages[number]))
            for number, page in pages.items()
            if isinstance(page, PageVectors) and len(page.vectors)
        ]
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


async def _passages_by_page(job: Job, size: PassageIndex) -> defaultdict[int, list[PassageId]]:
    found: defaultdict[int, list[PassageId]] = defaultdict(list)
    for batch in range(size.batches):
        for passage in (await read_batch(job, batch))[0]:
            found[passage.page].append(passage.id)
    return found
