"""Stage chunk: blocks -> passages and chunks, kept in batches."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from atoll.domain.document import Stage
from atoll.domain.ids import ChunkId, DocumentUid, chunk_id, passage_id
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.ingest.cutting import Chunked, chunk
from atoll.ingest.outputs import to_json
from atoll.ingest.stages.parse import read_parsed
from atoll.ingest.strands import strands
from atoll.ingest.workshop import BATCH_PASSAGES, Job, batch_name
from atoll.ports.ledger import DocumentFacts

_INDEX = "index"


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """How many passages and batches the chunk stage left, and the ordinals of the passages on each page."""

    passages: int
    batches: int
    pages: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PassageBatch:
    """Passages in order, and the chunks that begin with one of them."""

    passages: tuple[Passage, ...]
    chunks: tuple[Chunk, ...]


async def make_passages(job: Job) -> DocumentFacts:
    """Leave the document's passages and chunks."""
    if not await job.outputs.has(job.artefact(Stage.CHUNK), _INDEX):
        parsed = await read_parsed(job)
        found = await asyncio.to_thread(strands, parsed.blocks)
        card = await job.shop.models.text()
        spans = await job.shop.embedder.tokenize([strand.text for strand in found])
        chunked = await asyncio.to_thread(
            chunk,
            job.claim.document,
            found,
            [each.ends for each in spans],
            window_tokens=card.text_tokens,
            chunk_tokens=job.shop.chunk_tokens,
            overlap_tokens=job.shop.overlap_tokens,
        )
        await _write(job, chunked)
    return DocumentFacts(passages=(await read_index(job)).passages)


async def read_index(job: Job) -> PassageIndex:
    """Read how much there is."""
    return await job.outputs.read(job.artefact(Stage.CHUNK), _INDEX, _index)


async def read_batch(job: Job, batch: int) -> PassageBatch:
    """Read one batch."""
    document = job.claim.document
    return await job.outputs.read(
        job.artefact(Stage.CHUNK), batch_name(batch), lambda content: _batch(content, document)
    )


async def _write(job: Job, chunked: Chunked) -> None:
    output = job.artefact(Stage.CHUNK)
    chunk_numbers = {each.id: each.ordinal for each in chunked.chunks}
    first_of: dict[ChunkId, int] = {}
    for passage in chunked.passages:
        first_of.setdefault(passage.chunk, passage.ordinal)
    batches = range(0, len(chunked.passages), BATCH_PASSAGES)
    for number, start in enumerate(batches):
        end = start + BATCH_PASSAGES
        # A chunk whose passages all lie in the overlap with the one before has no passage of its own.
        chunks = tuple(each for each in chunked.chunks if start <= first_of.get(each.id, 0) < end)
        batch = PassageBatch(chunked.passages[start:end], chunks)
        await job.outputs.write(output, batch_name(number), batch, lambda each: _batch_to_json(each, chunk_numbers))
    # Last: the index says that all batches are there.
    pages: defaultdict[int, list[int]] = defaultdict(list)
    for passage in chunked.passages:
        pages[passage.page].append(passage.ordinal)
    index = PassageIndex(len(chunked.passages), len(batches), {page: tuple(found) for page, found in pages.items()})
    await job.outputs.write(output, _INDEX, index, _index_to_json)


def _index_to_json(index: PassageIndex) -> bytes:
    return orjson.dumps([index.passages, index.batches, list(index.pages.items())])


def _index(content: bytes) -> PassageIndex:
    passages, batches, pages = orjson.loads(content)
    return PassageIndex(passages, batches, {page: tuple(ordinals) for page, ordinals in pages})


def _batch_to_json(batch: PassageBatch, chunk_numbers: Mapping[ChunkId, int]) -> bytes:
    """Return a batch as plain values. Ids are left out: another reading of the document derives its own."""
    passages = [
        [
            p.ordinal,
            chunk_numbers[p.chunk],
            p.page,
            p.boxes,
            p.char_start,
            p.char_end,
            p.text,
            p.headings,
            p.layout_json,
        ]
        for p in batch.passages
    ]
    return to_json([passages, [[c.ordinal, c.char_start, c.char_end, c.headings] for c in batch.chunks]])


def _batch(content: bytes, document: DocumentUid) -> PassageBatch:
    passages, chunks = orjson.loads(content)
    return PassageBatch(
        tuple(
            Passage(
                passage_id(document, ordinal),
                document,
                ordinal,
                chunk_id(document, number),
                page,
                tuple(Box(*box) for box in boxes),
                start,
                end,
                text,
                tuple(headings),
                layout,
            )
            for ordinal, number, page, boxes, start, end, text, headings, layout in passages
        ),
        tuple(
            Chunk(chunk_id(document, ordinal), document, ordinal, start, end, tuple(headings))
            for ordinal, start, end, headings in chunks
        ),
    )
