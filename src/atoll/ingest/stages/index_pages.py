"""Pages of stage index: page vectors -> points of the page index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.domain.artefact import Artefact
from atoll.domain.document import Stage
from atoll.domain.ids import PassageId, passage_id
from atoll.domain.page_archive import batch_part, unpacked
from atoll.domain.page_vectors import PageFailure, PagePoint, PageVectors
from atoll.ingest.stages.chunk import PassageIndex
from atoll.ingest.stages.embed_pages import has_point, read_archive
from atoll.ingest.workshop import Job, to_its_end


async def index_pages(job: Job, size: PassageIndex) -> int | None:
    """Upsert batch after batch; return how many pages there were, or None when the slice is over.

    Batches are counted on from those of the passages. Blank pages and pages that failed have no point.
    """
    shop, claim = job.shop, job.claim
    output = job.artefact(Stage.EMBED)
    archive = None if shop.page_index is None else await read_archive(shop.artefacts, output)
    if shop.page_index is None or archive is None:
        return 0
    passages = {
        page: [passage_id(claim.document, ordinal) for ordinal in ordinals] for page, ordinals in size.pages.items()
    }
    for batch in range(max(0, claim.batch - size.batches), archive.batches):
        if job.is_over:
            return None
        pages = await job.outputs.read(output, batch_part(batch), unpacked)
        points = page_points(output, claim.labels, pages, passages)
        # As for passages: points carry no token of their own.
        await shop.ledger.beat(claim, shop.lease_seconds)
        await to_its_end(shop.page_index.upsert(archive.fingerprint, points))
        if batch + 1 < archive.batches:
            await shop.ledger.advance(
                claim,
                batch=size.batches + batch + 1,
                done=size.passages + max(pages),
                total=size.passages + archive.pages,
            )
    return archive.pages


def page_points(
    embedded: Artefact,
    labels: tuple[str, ...],
    pages: Mapping[int, PageVectors | PageFailure],
    passages: Mapping[int, Sequence[PassageId]],
) -> list[PagePoint]:
    """Return the points of a batch of pages of stage embed's output; both mappings go by page number."""
    return [
        PagePoint(embedded.kb, embedded.document, labels, number, page, tuple(passages.get(number, ())), embedded.key)
        for number, page in pages.items()
        if has_point(page)
    ]
