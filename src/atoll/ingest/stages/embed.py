"""Stage embed: passages and assertions -> dense vectors, kept as fp16."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atoll.domain.artefact import Artefact
from atoll.domain.document import Stage
from atoll.domain.embedding import InputType
from atoll.ingest.cutting import embedding_text
from atoll.ingest.outputs import from_rows, to_rows
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed_pages import pages_to_embed
from atoll.ingest.stages.extract import assertion_texts, read_extraction
from atoll.ingest.workshop import Job, batch_name
from atoll.ports.extractor import Extraction


async def embed(job: Job) -> int | None:
    """Embed batch after batch; return how many passages there were, or None when the slice is over.

    The pages come after them, in the same stage.
    """
    index = await read_index(job)
    output = job.artefact(Stage.EMBED)
    total = index.passages + await pages_to_embed(job)
    for batch in range(job.claim.batch, index.batches):
        if job.is_over:
            return None
        passages = (await read_batch(job, batch)).passages
        if not await job.outputs.has(output, batch_name(batch)):
            await _embed(job, output, batch_name(batch), [embedding_text(passage) for passage in passages])
        extracted = await read_extraction(job, batch, passages)
        if extracted.assertions and not await job.outputs.has(output, _of_assertions(batch)):
            await _embed(job, output, _of_assertions(batch), assertion_texts(extracted))
        done = passages[-1].ordinal + 1
        if batch + 1 < index.batches:
            await job.shop.ledger.advance(job.claim, batch=batch + 1, done=done, total=total)
    return index.passages


async def read_embeddings(job: Job, batch: int) -> NDArray[np.float16]:
    """Read the vectors of one batch, (passages, dimensions)."""
    return await job.outputs.read(job.artefact(Stage.EMBED), batch_name(batch), from_rows)


async def read_assertion_embeddings(job: Job, batch: int, extracted: Extraction) -> NDArray[np.float16] | None:
    """Read the vectors of one batch's assertions, (assertions, dimensions), or None when it has none."""
    if not extracted.assertions:
        return None
    return await job.outputs.read(job.artefact(Stage.EMBED), _of_assertions(batch), from_rows)


async def _embed(job: Job, output: Artefact, part: str, texts: Sequence[str]) -> None:
    vectors = await job.shop.embedder.embed(texts, input_type=InputType.DOCUMENT)
    await job.outputs.write(output, part, vectors.astype(np.float16), to_rows)


def _of_assertions(batch: int) -> str:
    return f"assertions-{batch_name(batch)}"
