"""Stage publish: the document becomes visible; points of entities that it makes shared are written around it."""

from __future__ import annotations

import numpy as np

from atoll.domain.document import Stage
from atoll.domain.vectors import EntityPoint
from atoll.errors import ArtefactMissing
from atoll.ingest.stages.embed_names import NameVectors, read_name_vectors, want_all_names
from atoll.ingest.workshop import Job
from atoll.ports.contents import Published


async def publish(job: Job) -> Published:
    """Publish, with the vectors of names that the record store asks for.

    Raises:
        ArtefactMissing: others were stored since stage embed, and share names of which it made no vectors.
    """
    given: NameVectors = {}
    while True:
        outcome = await job.shop.contents.publish(job.claim, given)
        if isinstance(outcome, Published):
            # Once more, for a purge that saw them without a vector and took their points away meanwhile.
            await _show(job, given)
            return outcome
        kept = await read_name_vectors(job)
        if not kept.keys() >= {name.id for name in outcome.entities}:
            await want_all_names(job, outcome.entities)
            raise ArtefactMissing("names of this document became shared after they were embedded", Stage.EMBED)
        given = {**given, **{name.id: kept[name.id] for name in outcome.entities}}
        # Before they are shared: nothing would write them if this process died after the publish. Points of entities
        # that will not be shared after all only cost a look into the record store.
        await _show(job, given)


async def _show(job: Job, vectors: NameVectors) -> None:
    if not vectors:
        return
    points = [EntityPoint(entity, job.claim.kb, vector.astype(np.float32)) for entity, vector in vectors.items()]
    await job.shop.graph_index.upsert_graph(points, [])
