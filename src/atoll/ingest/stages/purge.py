"""Stage purge: a deleted document's points, rows and files go, and once more what an old lease may have written."""

from __future__ import annotations

import numpy as np

from atoll.domain.vectors import EntityPoint
from atoll.ingest.workshop import BATCH_PASSAGES, Job


async def purge(job: Job) -> float | None:
    """Remove what there is; return None when it is all gone, else after how many seconds to look again."""
    shop, claim = job.shop, job.claim
    await shop.vectors.delete(claim.kb, [claim.document])
    await shop.graph_index.delete_graph(claim.kb, [], [claim.document])
    if shop.page_index is not None:
        await shop.page_index.delete(claim.kb, [claim.document])
    left = True
    while left:
        await _forget_entities(job)
        left = await shop.contents.purge_batch(claim, BATCH_PASSAGES) > 0
        if left and job.is_over:
            return 0.0
    await shop.blobs.remove(claim.kb, claim.document)
    state = await shop.contents.purge_state(claim)
    if not state.quiet:
        return state.quiet_in_seconds + shop.purge_grace_seconds
    await shop.contents.purge_end(claim)
    return None


async def _forget_entities(job: Job) -> None:
    """Remove the points of entities that the next passages to go mention and that are no longer shared.

    Another document may make one of them shared again between the look and the removal; then its point comes back.
    """
    shop, claim = job.shop, job.claim
    before = await shop.contents.purge_entities(claim, BATCH_PASSAGES)
    gone = [entity for entity, vector in before.items() if vector is None]
    if not gone:
        return
    await shop.graph_index.delete_graph(claim.kb, gone, [])
    after = await shop.contents.purge_entities(claim, BATCH_PASSAGES)
    back = [
        EntityPoint(entity, claim.kb, vector.astype(np.float32))
        for entity in gone
        if (vector := after.get(entity)) is not None
    ]
    await shop.graph_index.upsert_graph(back, [])
