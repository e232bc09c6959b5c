"""Stage chunk: blocks -> passages and chunks, kept in batches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from atoll.domain.ids import ChunkId, DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.ingest.artefacts import read_json, write_json
from atoll.ingest.cutting import Chunked, bounded_blocks, chunk
from atoll.ingest.stages.parse import read_parsed
from atoll.ingest.workshop import BATCH_PASSAGES, Job, batch_name
from atoll.ports.ledger import DocumentFacts

_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """How many passages and batches the chunk stage left."""

    passages: int
    batches: int


async def make_passages(job: Job) -> DocumentFacts:
    """Leave the document's passages and chunks in its folder."""
    folder = await job.passages_dir()
    if not (folder / _INDEX).exists():
        parsed = await read_parsed(job)
        blocks = await asyncio.to_thread(bounded_blocks, parsed.blocks)
        card = await job.shop.embedder.describe()
        spans = await job.shop.embedder.tokenize([block.text for block in blocks])
        await asyncio.to_thread(
            lambda: _write(
                folder,
                chunk(
                    job.claim.document,
                    blocks,
                    [each.ends for each in spans],
                    window_tokens=card.text_tokens,
                    chunk_tokens=job.shop.chunk_tokens,
                    overlap_tokens=job.shop.overlap_tokens,
                ),
            )
        )
    return DocumentFacts(passages=(await read_index(job)).passages)


async def read_index(job: Job) -> PassageIndex:
    """Read how much there is."""
    value = cast("Mapping[str, int]", read_json(await job.passages_dir() / _INDEX))
    return PassageIndex(passages=value["passages"], batches=value["batches"])


async def read_batch(job: Job, batch: int) -> tuple[list[Passage], list[Chunk]]:
    """Read one batch: passages, and the chunks that begin with one of them."""
    value = cast("Mapping[str, Any]", await asyncio.to_thread(read_json, await job.passages_dir() / batch_name(batch)))
    return [_passage(each) for each in value["passages"]], [_chunk(each) for each in value["chunks"]]


def _write(folder: Path, chunked: Chunked) -> None:
    first_of: dict[ChunkId, int] = {}
    for passage in chunked.passages:
        first_of.setdefault(passage.chunk, passage.ordinal)
    batches = range(0, len(chunked.passages), BATCH_PASSAGES)
    for number, start in enumerate(batches):
        end = start + BATCH_PASSAGES
        # A chunk whose passages all lie in the overlap with the one before has no passage of its own.
        chunks = [each for each in chunked.chunks if start <= first_of.get(each.id, 0) < end]
        write_json(folder / batch_name(number), {"passages": chunked.passages[start:end], "chunks": chunks})
    # Last: the index says that all batches are there.
    write_json(folder / _INDEX, {"passages": len(chunked.passages), "batches": len(batches)})


def _passage(value: Mapping[str, Any]) -> Passage:
    return Passage(
        id=PassageId(value["id"]),
        document=DocumentUid(value["document"]),
        ordinal=value["ordinal"],
        chunk=ChunkId(value["chunk"]),
        page=value["page"],
        boxes=tuple(Box(*box) for box in value["boxes"]),
        char_start=value["char_start"],
        char_end=value["char_end"],
        text=value["text"],
        headings=tuple(value["headings"]),
    )


def _chunk(value: Mapping[str, Any]) -> Chunk:
    return Chunk(**{**value, "headings": tuple(cast("Sequence[str]", value["headings"]))})
