"""Stage embed: passages and assertions -> dense vectors, kept as fp16 beside them."""

from __future__ import annotations

import asyncio

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.ingest.artefacts import read_vectors, write_vectors
from atoll.ingest.cutting import embedding_text
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed_pages import pages_to_embed
from atoll.ingest.stages.extract import assertion_texts, extraction
from atoll.ingest.workshop import Job, batch_name
from atoll.ports.extractor import Extraction


async def embed(job: Job) -> int | None:
    """Embed batch after batch; return how many passages there were, or None when the slice is over.

    The pages come after them, in the same stage.
    """
    index = await read_index(job)
    total = index.passages + await pages_to_embed(job)
    folder = await job.vectors_dir()
    done = 0
    for batch in range(job.claim.batch, index.batches):
        if job.is_over:
            return None
        passages, _ = await read_batch(job, batch)
        path = folder / batch_name(batch)
        if not path.exists():
            texts = [embedding_text(passage) for passage in passages]
            vectors = await job.shop.embedder.embed(texts, input_type=InputType.DOCUMENT)
            await asyncio.to_thread(write_vectors, path, vectors.astype(np.float16))
        await _embed_assertions(job, batch, await extraction(job, batch, passages))
        done = passages[-1].ordinal + 1
        if batch + 1 < index.batches:
            await job.shop.ledger.advance(job.claim, batch=batch + 1, done=done, total=total)
    return index.passages


async def read_embeddings(job: Job, batch: int) -> NDArray[np.float16]:
    """Read the vectors of one batch, (passages, dimensions)."""
    return await asyncio.to_thread(read_vectors, await job.vectors_dir() / batch_name(batch))


async def read_assertion_embeddings(job: Job, batch: int, extracted: Extraction) -> NDArray[np.float16] | None:
    """Read the vectors of one batch's assertions, (assertions, dimensions), or None when it has none."""
    if not extracted.assertions:
        return None
    return await asyncio.to_thread(read_vectors, await job.assertion_vectors_dir() / batch_name(batch))


async def _embed_assertions(job: Job, batch: int, extracted: Extraction) -> None:
    path = await job.assertion_vectors_dir() / batch_name(batch)
    if extracted.assertions and not path.exists():
        vectors = await job.shop.embedder.embed(assertion_texts(extracted), input_type=InputType.DOCUMENT)
        await asyncio.to_thread(write_vectors, path, vectors.astype(np.float16))
