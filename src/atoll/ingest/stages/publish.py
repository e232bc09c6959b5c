"""Stage publish: the document becomes visible; entities that it makes shared get their vectors first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.domain.entity import EntityName
from atoll.domain.ids import EntityId
from atoll.domain.vectors import EntityPoint
from atoll.errors import DependencyDown
from atoll.ingest.workshop import Job
from atoll.ports.contents import Published

#: Publishes in a row that other documents may outrun by making further entities shared.
MAX_ROUNDS = 10
_BATCH_NAMES = 256


async def publish(job: Job) -> Published:
    """Publish, embedding the names that the record store asks for.

    Raises:
        DependencyDown: others kept changing the same entities; to be tried again.
    """
    vectors: dict[EntityId, NDArray[np.float16]] = {}
    for _ in range(MAX_ROUNDS):
        outcome = await job.shop.contents.publish(job.claim, vectors)
        if isinstance(outcome, Published):
            # Once more, for a purge that saw them without a vector and took their points away meanwhile.
            await _show(job, vectors)
            return outcome
        for names in _batches(outcome.entities):
            rows = await job.shop.embedder.embed([name.key for name in names], input_type=InputType.DOCUMENT)
            vectors.update({name.id: row for name, row in zip(names, rows.astype(np.float16), strict=True)})
        # Before they are shared: nothing would write them if this process died after the publish. Points of entities
        # that will not be shared after all only cost a look into the record store.
        await _show(job, vectors)
    raise DependencyDown("the entities of this document keep changing; the publish is tried again")


async def _show(job: Job, vectors: dict[EntityId, NDArray[np.float16]]) -> None:
    if not vectors:
        return
    points = [EntityPoint(entity, job.claim.kb, vector.astype(np.float32)) for entity, vector in vectors.items()]
    await job.shop.graph_index.upsert_graph(points, [])


def _batches(names: Sequence[EntityName]) -> Iterator[list[EntityName]]:
    rest = iter(names)
    while batch := list(islice(rest, _BATCH_NAMES)):
        yield batch
