"""Stage embed: vectors of the names that the publish gives to entities, so that publishing asks no model server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import numpy as np
import orjson
from numpy.typing import NDArray

from atoll.domain.document import Stage
from atoll.domain.embedding import InputType
from atoll.domain.entity import EntityName
from atoll.domain.ids import EntityId
from atoll.ingest.outputs import from_rows, to_json, to_rows
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.extract import read_extraction
from atoll.ingest.workshop import Job

NameVectors = Mapping[EntityId, NDArray[np.float16]]

_PART = "names"
_ALL_WANTED = "all-names-wanted"
_BATCH_NAMES = 256


async def embed_names(job: Job) -> None:
    """Embed the names of entities that the document will share with others, or has in two passages of its own.

    A document that its publish sent back gets vectors of all its names: whatever others do meanwhile, it is not sent
    back for names again.
    """
    passages = await _passages_by_name(job)
    kept = await read_name_vectors(job)
    wanted = frozenset(name.id for name in passages)
    if not await job.outputs.has(job.artefact(Stage.EMBED), _ALL_WANTED):
        wanted = await job.shop.contents.likely_shared(job.claim, {name.id: n for name, n in passages.items()})
    lacking = sorted(name for name in passages if name.id in wanted and name.id not in kept)
    if not lacking:
        return
    vectors = dict(kept)
    for names in _batches(lacking):
        rows = await job.shop.embedder.embed([name.key for name in names], input_type=InputType.DOCUMENT)
        vectors.update(zip((name.id for name in names), rows.astype(np.float16), strict=True))
    await job.outputs.write(job.artefact(Stage.EMBED), _PART, vectors, _to_bytes)


async def read_name_vectors(job: Job) -> NameVectors:
    """Read the vectors of the document's names; there may be none."""
    output = job.artefact(Stage.EMBED)
    if not await job.outputs.has(output, _PART):
        return {}
    return await job.outputs.read(output, _PART, _from_bytes)


async def want_all_names(job: Job, asked: Sequence[EntityName]) -> None:
    """Let the stage, when it runs again, embed all names of the document; ``asked`` is what the publish lacked."""
    keys = [name.key for name in asked]
    await job.outputs.write(job.artefact(Stage.EMBED), _ALL_WANTED, keys, to_json)


async def _passages_by_name(job: Job) -> Counter[EntityName]:
    """Return how many passages mention each name."""
    found: Counter[EntityName] = Counter()
    for batch in range((await read_index(job)).batches):
        passages = (await read_batch(job, batch)).passages
        mentions = (await read_extraction(job, batch, passages)).mentions
        found.update(EntityName(mention.entity, mention.key) for mention in mentions)
    return found


def _to_bytes(vectors: NameVectors) -> bytes:
    """Return the ids on a line, and below it their rows."""
    return orjson.dumps(list(vectors)) + b"\n" + to_rows(np.stack(list(vectors.values())))


def _from_bytes(content: bytes) -> NameVectors:
    ids, _, rows = content.partition(b"\n")
    return dict(zip(map(EntityId, orjson.loads(ids)), from_rows(rows), strict=True))


def _batches(names: Sequence[EntityName]) -> Iterator[list[EntityName]]:
    rest = iter(names)
    while batch := list(islice(rest, _BATCH_NAMES)):
        yield batch
