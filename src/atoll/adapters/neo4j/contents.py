"""Passages and what hangs on them: written hidden, published at once (see ``publishing``), purged in batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.ledger import advance
from atoll.adapters.neo4j.publishing import NotYetError, likely_shared, publish, vectors_wanted
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import claimed, held, lock_kb, remove_empty_kb
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, relation_id
from atoll.domain.passage import Chunk, Passage
from atoll.errors import Conflict
from atoll.ports.contents import ContentBatch, Published, PurgeState, VectorsWanted
from atoll.ports.ledger import Claim

#: Passages removed in one transaction before a document is stored anew.
_REMOVED_AT_ONCE = 256

_LEFT_PASSAGES, _HAS_CONTENTS, _QUIET, _FIRST_ENTITIES, _REMOVE_DOCUMENT = load(
    "contents", "left_passages", "has_contents", "quiet", "first_entities", "remove_document"
)
_CHUNKS, _PASSAGES, _ENTITIES, _MENTIONS, _ASSERTIONS = load(
    "contents", "write_chunks", "write_passages", "write_entities", "write_mentions", "write_assertions"
)
_FIRST_PASSAGES, _REMOVE_PASSAGES, _REMOVE_ORPHANS, _REMOVE_CHUNKS, _COUNT_PASSAGES = load(
    "contents", "first_passages", "remove_passages", "remove_orphans", "remove_chunks", "count_passages"
)


class Neo4jContents:
    """Port ``Contents``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store_batch(self, claim: Claim, batch: ContentBatch, *, next_batch: int, done: int, total: int) -> None:
        """Write one batch of a hidden document."""
        if len({(m.passage, m.entity) for m in batch.mentions}) < len(batch.mentions):
            raise Conflict("a batch mentions an entity twice in one passage; the extractor should count instead")
        if not batch.passages or batch.passages[0].ordinal == 0:
            # An earlier attempt under another configuration may have left other passages, any number of them.
            await self._remove_all(claim)

        async def work(transaction: Transaction) -> None:
            # A batch whose commit was not heard of is written again.
            left = await held(transaction, claim, _LEFT_PASSAGES, passages=[p.id for p in batch.passages])
            await _remove(transaction, claim, left["ids"])
            await write_contents(transaction, claim.kb, claim.document, batch)
            await advance(transaction, claim, batch=next_batch, done=done, total=total)

        await self._database.write(work)

    async def likely_shared(self, claim: Claim, passages: Mapping[EntityId, int]) -> frozenset[EntityId]:
        """Return the entities that the publish will ask vectors of, as far as can be told."""
        return await self._database.read(lambda transaction: likely_shared(transaction, claim, passages))

    async def publish(self, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published | VectorsWanted:
        """Make the document visible."""
        if not vectors:
            wanted = await self._database.read(lambda transaction: vectors_wanted(transaction, claim))
            if wanted.entities:
                return wanted
        try:
            return await self._database.write(lambda transaction: publish(transaction, claim, vectors))
        except NotYetError as undone:
            return undone.wanted

    async def purge_state(self, claim: Claim) -> PurgeState:
        """Return whether all old leases have run out."""

        async def work(transaction: Transaction) -> PurgeState:
            record = await transaction.one(_QUIET, **claimed(claim))
            assert record is not None, "an aggregation returns one record"
            left = max(0, record["left"]) / 1000
            return PurgeState(kb=claim.kb, document=claim.document, quiet=left <= 0, quiet_in_seconds=left)

        return await self._database.read(work)

    async def purge_entities(self, claim: Claim, limit: int) -> Mapping[EntityId, NDArray[np.float16] | None]:
        """Return the entities of the next passages to go, with their vectors."""

        async def work(transaction: Transaction) -> Mapping[EntityId, NDArray[np.float16] | None]:
            await held(transaction, claim)
            record = await transaction.one(_FIRST_ENTITIES, **claimed(claim), limit=limit)
            assert record is not None, "an aggregation returns one record"
            return {
                EntityId(id_): None if vector is None else np.frombuffer(vector, np.float16)
                for id_, vector in record["entities"]
            }

        return await self._database.write(work)

    async def purge_batch(self, claim: Claim, limit: int) -> int:
        """Remove up to ``limit`` passages and what hangs on them."""

        async def work(transaction: Transaction) -> int:
            await held(transaction, claim)
            return await _remove_some(transaction, claim, limit)

        return await self._database.write(work)

    async def purge_end(self, claim: Claim) -> None:
        """Remove the document and its ledger rows."""

        async def work(transaction: Transaction) -> None:
            await held(transaction, claim)
            # Of two that end at once the later one has to see that the other's document is gone.
            await lock_kb(transaction, claim.kb)
            await transaction.all(_REMOVE_DOCUMENT, **claimed(claim))
            await remove_empty_kb(transaction, claim.kb)

        await self._database.write(work)

    async def _remove_all(self, claim: Claim) -> None:
        """Remove all passages and chunks of the document, in transactions of bounded size."""

        async def work(transaction: Transaction) -> int:
            found = await held(transaction, claim, _HAS_CONTENTS)
            return await _remove_some(transaction, claim, _REMOVED_AT_ONCE) if found["any"] else 0

        while await self._database.write(work):
            pass


async def write_contents(transaction: Transaction, kb: KbUid, document: DocumentUid, batch: ContentBatch) -> None:
    """Write one batch, of whose passages there is nothing yet."""
    scope = {"kb": kb, "document": document}
    await transaction.all(_CHUNKS, **scope, rows=list(map(_chunk_properties, batch.chunks)))
    passages = [_passage_properties(each, vector) for each, vector in zip(batch.passages, batch.vectors, strict=True)]
    await transaction.all(_PASSAGES, **scope, rows=passages)
    if batch.mentions:
        mentions = sorted(batch.mentions, key=lambda m: (m.entity, m.passage))
        entities = {m.entity: m.key for m in mentions}
        await transaction.all(_ENTITIES, **scope, rows=[{"entity": e, "key": key} for e, key in entities.items()])
        rows = [
            {
                "entity": m.entity,
                "passage": m.passage,
                "properties": {
                    "surface": m.surface, "type": m.type, "tf": m.tf, "span_start": m.span[0], "span_end": m.span[1],
                },
            }
            for m in mentions
        ]  # fmt: skip
        await transaction.all(_MENTIONS, **scope, rows=rows)
    if batch.assertions:
        await transaction.all(_ASSERTIONS, **scope, rows=_assertion_rows(batch))


def _chunk_properties(chunk: Chunk) -> dict[str, object]:
    return {
        "id": chunk.id,
        "document": chunk.document,
        "ordinal": chunk.ordinal,
        "char_start": chunk.char_start,
        "char_end": chunk.char_end,
        "headings": list(chunk.headings),
    }


def _passage_properties(passage: Passage, vector: NDArray[np.float16]) -> dict[str, object]:
    return {
        "id": passage.id,
        "document": passage.document,
        "ordinal": passage.ordinal,
        "chunk": passage.chunk,
        "page": passage.page,
        "boxes_json": json.dumps(passage.boxes),
        "char_start": passage.char_start,
        "char_end": passage.char_end,
        "text": passage.text,
        "headings": list(passage.headings),
        "layout_json": passage.layout_json,
        "vector": vector.tobytes(),
    }


def _assertion_rows(batch: ContentBatch) -> list[dict[str, object]]:
    vectors = batch.assertion_vectors
    return [
        {
            "id": relation_id(a.passage, a.ordinal),
            "passage": a.passage,
            "head": a.head,
            "tail": a.tail,
            "properties": {
                "passage": a.passage,
                "ordinal": a.ordinal,
                "keywords": list(a.keywords),
                "description": a.description,
                "weight": a.weight,
                "vector": None if vectors is None else vectors[at].tobytes(),
            },
        }
        for at, a in enumerate(batch.assertions)
    ]


async def _remove_some(transaction: Transaction, claim: Claim, limit: int) -> int:
    """Remove the first passages and all chunks; return how many passages are left."""
    first = await transaction.one(_FIRST_PASSAGES, **claimed(claim), limit=limit)
    assert first is not None, "an aggregation returns one record"
    await _remove(transaction, claim, first["ids"])
    await transaction.all(_REMOVE_CHUNKS, **claimed(claim))
    left = await transaction.one(_COUNT_PASSAGES, **claimed(claim))
    assert left is not None, "a count returns one record"
    return int(left["passages"])


async def _remove(transaction: Transaction, claim: Claim, passages: Sequence[PassageId]) -> None:
    if not passages:
        return
    found = await transaction.all(_REMOVE_PASSAGES, kb=claim.kb, passages=list(passages))
    entities = sorted({entity for record in found for entity in record["found"]})
    await transaction.all(_REMOVE_ORPHANS, kb=claim.kb, entities=entities)
