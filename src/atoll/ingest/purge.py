"""Stage purge: a deleted document's points, rows and files go, and once more what an old lease may have written."""

from __future__ import annotations

from atoll.ingest.workshop import BATCH_PASSAGES, Job


async def purge(job: Job) -> float | None:
    """Remove what there is; return None when it is all gone, else after how many seconds to look again."""
    shop, claim = job.shop, job.claim
    await shop.vectors.delete(claim.kb, [claim.document])
    if shop.page_index is not None:
        await shop.page_index.delete(claim.kb, [claim.document])
    while await shop.contents.purge_batch(claim, BATCH_PASSAGES):
        if job.is_over:
            return 0.0
    await shop.blobs.remove(claim.kb, claim.document)
    state = await shop.contents.purge_state(claim)
    if not state.quiet:
        return state.quiet_in_seconds + shop.purge_grace_seconds
    await shop.contents.purge_end(claim)
    return None
