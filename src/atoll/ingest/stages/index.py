"""Stage index: passages, assertions and their vectors -> points of the vector indexes, without text."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import relation_id
from atoll.domain.passage import Passage
from atoll.domain.vectors import PassagePoint, RelationPoint
from atoll.ingest.cutting import indexing_text
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed import read_assertion_embeddings, read_embeddings
from atoll.ingest.stages.extract import read_extraction
from atoll.ingest.stages.index_pages import index_pages
from atoll.ingest.workshop import Job, to_its_end


async def index(job: Job) -> int | None:
    """Upsert batch after batch, passages and then pages; return how many, or None when the slice is over."""
    shop, claim = job.shop, job.claim
    size = await read_index(job)
    if claim.batch == 0 and claim.attempts > 1:
        # An earlier attempt under another configuration may have left other points.
        await shop.vectors.delete(claim.kb, [claim.document])
        if shop.page_index is not None:
            await shop.page_index.delete(claim.kb, [claim.document])
        await shop.graph_index.delete_graph(claim.kb, [], [claim.document])
    for batch in range(claim.batch, size.batches):
        if job.is_over:
            return None
        passages = (await read_batch(job, batch)).passages
        vectors = (await read_embeddings(job, batch)).passages
        points = await asyncio.to_thread(_points, job, passages, vectors)
        relations = await _relation_points(job, batch, passages)
        # Points carry no token of their own: prove the lease right before writing them.
        await shop.ledger.beat(claim, shop.lease_seconds)
        await to_its_end(shop.vectors.upsert(points))
        await to_its_end(shop.graph_index.upsert_graph([], relations))
        if batch + 1 < size.batches:
            done = passages[-1].ordinal + 1
            await shop.ledger.advance(claim, batch=batch + 1, done=done, total=size.passages)
    pages = await index_pages(job, size)
    return None if pages is None else size.passages + pages


def _points(job: Job, passages: Sequence[Passage], vectors: NDArray[np.float16]) -> list[PassagePoint]:
    claim, sparse = job.claim, job.shop.sparse
    return [
        PassagePoint(
            id=passage.id,
            kb=claim.kb,
            document_uid=claim.document,
            labels=claim.labels,
            dense=vector.astype(np.float32),
            sparse=sparse.encode_passage(indexing_text(passage), claim.language),
        )
        for passage, vector in zip(passages, vectors, strict=True)
    ]


async def _relation_points(job: Job, batch: int, passages: Sequence[Passage]) -> list[RelationPoint]:
    claim = job.claim
    extracted = await read_extraction(job, batch, passages)
    vectors = await read_assertion_embeddings(job, batch, extracted)
    if vectors is None:
        return []
    return [
        RelationPoint(
            id=relation_id(assertion.passage, assertion.ordinal),
            kb=claim.kb,
            document_uid=claim.document,
            labels=claim.labels,
            dense=vector.astype(np.float32),
        )
        for assertion, vector in zip(extracted.assertions, vectors, strict=True)
    ]
