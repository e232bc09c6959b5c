"""Stage store: passages, what was extracted from them, and vectors -> rows of a hidden document."""

from __future__ import annotations

from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed import read_assertion_embeddings, read_embeddings
from atoll.ingest.stages.extract import extraction
from atoll.ingest.workshop import Job
from atoll.ports.contents import ContentBatch


async def store(job: Job) -> int | None:
    """Write batch after batch with the ledger's progress; return how many passages, or None when the slice is over."""
    index = await read_index(job)
    for batch in range(job.claim.batch, index.batches):
        if job.is_over:
            return None
        passages, chunks = await read_batch(job, batch)
        extracted = await extraction(job, batch, passages)
        content = ContentBatch(
            chunks=chunks,
            passages=passages,
            vectors=await read_embeddings(job, batch),
            mentions=extracted.mentions,
            assertions=extracted.assertions,
            assertion_vectors=await read_assertion_embeddings(job, batch, extracted),
        )
        await job.shop.contents.store_batch(
            job.claim, content, next_batch=batch + 1, done=passages[-1].ordinal + 1, total=index.passages
        )
    return index.passages
