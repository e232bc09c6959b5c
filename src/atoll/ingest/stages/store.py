"""Stage store: passages, what was extracted from them, and vectors -> rows of a hidden document."""

from __future__ import annotations

import numpy as np

from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed import read_assertion_embeddings, read_embeddings
from atoll.ingest.stages.extract import read_extraction
from atoll.ingest.workshop import Job
from atoll.ports.contents import ContentBatch


async def store(job: Job) -> int | None:
    """Write batch after batch with the ledger's progress; return how many passages, or None when the slice is over."""
    index = await read_index(job)
    if not index.batches and job.claim.attempts > 1:
        # An earlier attempt under another configuration may have found passages.
        nothing = ContentBatch(chunks=(), passages=(), vectors=np.zeros((0, 0), np.float16), mentions=())
        await job.shop.contents.store_batch(job.claim, nothing, next_batch=0, done=0, total=0)
    for batch in range(job.claim.batch, index.batches):
        if job.is_over:
            return None
        cut = await read_batch(job, batch)
        extracted = await read_extraction(job, batch, cut.passages)
        content = ContentBatch(
            chunks=cut.chunks,
            passages=cut.passages,
            vectors=(await read_embeddings(job, batch)).passages,
            mentions=extracted.mentions,
            assertions=extracted.assertions,
            assertion_vectors=await read_assertion_embeddings(job, batch, extracted),
        )
        await job.shop.contents.store_batch(
            job.claim, content, next_batch=batch + 1, done=cut.passages[-1].ordinal + 1, total=index.passages
        )
    return index.passages
