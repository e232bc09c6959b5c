"""Passages and what hangs on them: written hidden, published at once, purged in batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from neo4j import Record
from numpy.typing import NDArray

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.ledger import advance
from atoll.adapters.neo4j.transitions import (
    CHANGE,
    CLOSE,
    SYSTEM,
    Event,
    audit,
    claimed,
    closing,
    fence,
    held,
    hide,
    lock_kb,
    remove_empty_kb,
)
from atoll.domain.document import StageState, Status
from atoll.domain.entity import EntityName
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, relation_id
from atoll.domain.passage import Chunk, Passage
from atoll.errors import Conflict
from atoll.ports.contents import ContentBatch, Published, PurgeState, VectorsWanted
from atoll.ports.ledger import Claim

#: Passages removed in one transaction before a document is stored anew.
_REMOVED_AT_ONCE = 256

# The knowledge base is locked before anything is read that other publishes and deletes change.
_PUBLISHED = (
    "WITH s MATCH (k:Kb {uid: $kb}) SET k.locked = true WITH k "
    "MATCH (d:Document {uid: $document, kb: $kb}) "
    "RETURN d {.uid, .kb, .name, .version, .labels, .replaces, .passages} AS document, k.tenant AS tenant, "
    "COLLECT { MATCH (o:Document {kb: $kb, name: d.name}) WHERE o.visible AND o.uid <> d.uid "
    "RETURN o {.uid, .version, .labels, .replaces} } AS namesakes"
)
# Asked before anything is locked that others wait for: counters may still move, so that raising them asks again.
_SHARED_WITHOUT_VECTOR = (
    "MATCH (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity) WITH e, count(*) AS n "
    "WHERE e.vector IS NULL AND e.df + n > 1 "
    "WITH e ORDER BY e.id RETURN collect([e.id, e.key]) AS wanted"
)
# By id, so that several transactions on the same entities wait for each other and do not deadlock.
_RAISE_COUNTERS = (
    "MATCH (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity) "
    "WITH e, count(*) AS n ORDER BY e.id SET e.locked = true WITH e, e.df + n AS df "
    "SET e.df = df, e.vector = CASE WHEN df > 1 THEN coalesce($vectors[e.id], e.vector) ELSE null END "
    "RETURN count(e) AS entities, collect(CASE WHEN df > 1 AND e.vector IS NULL THEN [e.id, e.key] END) AS wanted"
)
# The revision last, so that nobody sees the new one before what it stands for.
_MAKE_VISIBLE = (
    f"MATCH (s:Stage {{document: $document, name: $stage, kb: $kb}}) {CLOSE}"
    "WITH s MATCH (d:Document {uid: $document, kb: $kb}) "
    "SET d.visible = true, d.status = $ready, d.error_json = null, d.ready_at = timestamp(), d.entities = $entities, "
    f"d.hidden = null, d.rung_at = null {CHANGE}"
    "WITH d MATCH (k:Kb {uid: $kb}) SET k.revision = k.revision + 1, k.passages = k.passages + d.passages "
    "RETURN k.revision AS revision"
)
_CHUNKS = "UNWIND $rows AS row MERGE (c:Chunk {id: row.id, kb: $kb}) SET c += row"
_PASSAGES = (
    "MATCH (d:Document {uid: $document, kb: $kb}) UNWIND $rows AS row "
    "CREATE (p:Passage {kb: $kb}) SET p += row CREATE (p)-[:OF {kb: $kb}]->(d)"
)
_ENTITIES = "UNWIND $rows AS row MERGE (e:Entity {id: row.entity, kb: $kb}) ON CREATE SET e.key = row.key, e.df = 0"
# In entity order, so that two workers on the same hubs lock in one order.
_MENTIONS = (
    "UNWIND $rows AS row MATCH (e:Entity {id: row.entity, kb: $kb}) MATCH (p:Passage {id: row.passage, kb: $kb}) "
    "CREATE (p)-[m:MENTIONS {kb: $kb}]->(e) SET m += row.properties"
)
_ASSERTIONS = (
    "UNWIND $rows AS row MATCH (p:Passage {id: row.passage, kb: $kb}) MATCH (h:Entity {id: row.head, kb: $kb}) "
    "MATCH (t:Entity {id: row.tail, kb: $kb}) CREATE (a:Assertion {id: row.id, kb: $kb}) SET a += row.properties "
    "CREATE (a)-[:STATED_IN {kb: $kb}]->(p) CREATE (a)-[:HEAD {kb: $kb}]->(h) CREATE (a)-[:TAIL {kb: $kb}]->(t)"
)
_FIRST_PASSAGES = (
    "MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal >= 0 WITH p ORDER BY p.ordinal LIMIT $limit "
    "RETURN collect(p.id) AS ids"
)
_REMOVE_PASSAGES = (
    "UNWIND $passages AS id MATCH (p:Passage {id: id, kb: $kb}) "
    "CALL (p) { MATCH (a:Assertion)-[:STATED_IN]->(p) DETACH DELETE a } "
    "CALL (p) { MATCH (p)-[:MENTIONS]->(e:Entity) RETURN collect(e.id) AS found } "
    "DETACH DELETE p RETURN found"
)
# Locked before it is looked at: a store that mentions the entity again holds its lock until it has committed.
_REMOVE_ORPHANS = (
    "UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb}) SET e.locked = true "
    "WITH e WHERE NOT (e)<-[:MENTIONS]-() DETACH DELETE e"
)
_REMOVE_DOCUMENT = (
    "MATCH (d:Document {uid: $document, kb: $kb}) OPTIONAL MATCH (b:Batch)-[:HOLDS]->(d) WITH d, collect(b) AS batches "
    "CALL () { MATCH (s:Stage {document: $document, kb: $kb}) DELETE s } DETACH DELETE d "
    "WITH batches UNWIND batches AS b WITH b WHERE NOT (b)-[:HOLDS]->() DELETE b"
)


class _NotYetError(Exception):
    """Rolls back what was written before it turned out which vectors are missing."""

    def __init__(self, wanted: VectorsWanted) -> None:
        super().__init__()
        self.wanted = wanted


class Neo4jContents:
    """Port ``Contents``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store_batch(self, claim: Claim, batch: ContentBatch, *, next_batch: int, done: int, total: int) -> None:
        """Write one batch of a hidden document."""
        if len({(m.passage, m.entity) for m in batch.mentions}) < len(batch.mentions):
            raise Conflict("a batch mentions an entity twice in one passage; the extractor should count instead")
        if batch.passages and batch.passages[0].ordinal == 0:
            # An earlier attempt under another configuration may have left other passages, any number of them.
            await self._remove_all(claim)

        async def work(transaction: Transaction) -> None:
            # A batch whose commit was not heard of is written again.
            left = await held(
                transaction,
                claim,
                "RETURN COLLECT { UNWIND $passages AS id MATCH (p:Passage {id: id, kb: $kb}) RETURN p.id } AS ids",
                passages=[p.id for p in batch.passages],
            )
            await _remove(transaction, claim, left["ids"])
            await write_contents(transaction, claim.kb, claim.document, batch)
            await advance(transaction, claim, batch=next_batch, done=done, total=total)

        await self._database.write(work)

    async def publish(self, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published | VectorsWanted:
        """Make the document visible."""

        async def work(transaction: Transaction) -> Published | VectorsWanted:
            if not vectors:
                shared = await held(transaction, claim, f"WITH s {_SHARED_WITHOUT_VECTOR}")
                if shared["wanted"]:
                    return _vectors_wanted(shared)
            found = await held(transaction, claim, _PUBLISHED)
            if _is_superseded(found["document"], found["namesakes"]):
                return await _withdraw(transaction, claim, found["tenant"])
            return await _make_visible(transaction, claim, found, vectors)

        try:
            return await self._database.write(work)
        except _NotYetError as undone:
            return undone.wanted

    async def purge_state(self, claim: Claim) -> PurgeState:
        """Return whether all old leases have run out."""

        async def work(transaction: Transaction) -> PurgeState:
            record = await transaction.one(
                "MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.name <> $stage "
                "RETURN coalesce(max(s.lease_until), 0) - timestamp() AS left",
                **claimed(claim),
            )
            assert record is not None, "an aggregation returns one record"
            left = max(0, record["left"]) / 1000
            return PurgeState(kb=claim.kb, document=claim.document, quiet=left <= 0, quiet_in_seconds=left)

        return await self._database.read(work)

    async def purge_entities(self, claim: Claim, limit: int) -> Mapping[EntityId, NDArray[np.float16] | None]:
        """Return the entities of the next passages to go, with their vectors."""

        async def work(transaction: Transaction) -> Mapping[EntityId, NDArray[np.float16] | None]:
            await held(transaction, claim)
            record = await transaction.one(
                "MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal >= 0 "
                "WITH p ORDER BY p.ordinal LIMIT $limit MATCH (p)-[:MENTIONS]->(e:Entity) "
                "WITH DISTINCT e ORDER BY e.id RETURN collect([e.id, e.vector]) AS entities",
                **claimed(claim),
                limit=limit,
            )
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
            found = await held(
                transaction,
                claim,
                "RETURN EXISTS { (:Passage {document: $document, kb: $kb}) } "
                "OR EXISTS { (:Chunk {document: $document, kb: $kb}) } AS any",
            )
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


async def _withdraw(transaction: Transaction, claim: Claim, tenant: str) -> Published:
    """End a document whose place a later one of its name has taken already."""
    await held(transaction, claim, f"{CLOSE}RETURN 1", **closing(StageState.DONE, units=1))
    await fence(transaction, claim.kb, claim.document)
    await hide(transaction, claim.kb, [claim.document], visible=False)
    await audit(transaction, tenant, Event(SYSTEM, "document.superseded", f"document {claim.document}"))
    return Published(revision=0, replaced=(), superseded=True)


async def _make_visible(
    transaction: Transaction, claim: Claim, found: Record, vectors: Mapping[EntityId, NDArray[np.float16]]
) -> Published:
    replaced = _replaced(found["document"], found["namesakes"])
    events = []
    for uid in replaced:
        await fence(transaction, claim.kb, uid)
        revision = await hide(transaction, claim.kb, [uid], visible=True)
        events.append(Event(SYSTEM, "document.replaced", f"document {uid}", revision=revision))
    counted = await transaction.one(
        _RAISE_COUNTERS,
        kb=claim.kb,
        document=claim.document,
        vectors={entity: vector.tobytes() for entity, vector in vectors.items()},
    )
    assert counted is not None, "an aggregation returns one record"
    if counted["wanted"]:
        raise _NotYetError(_vectors_wanted(counted))
    published = await transaction.one(
        _MAKE_VISIBLE,
        **claimed(claim),
        **closing(StageState.DONE, units=1),
        ready=Status.READY,
        entities=counted["entities"],
    )
    assert published is not None, "stage, document and knowledge base are locked"
    revision = int(published["revision"])
    events.append(Event(SYSTEM, "document.published", f"document {claim.document}", revision=revision))
    await audit(transaction, found["tenant"], *events)
    return Published(revision=revision, replaced=tuple(replaced), superseded=False)


def _vectors_wanted(record: Record) -> VectorsWanted:
    return VectorsWanted(tuple(EntityName(EntityId(id_), key) for id_, key in record["wanted"]))


def _is_superseded(document: Mapping[str, Any], namesakes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a later document of this name has already taken its place."""
    return any(
        each["version"] > document["version"] and _replaces(each["replaces"], document["labels"]) for each in namesakes
    )


def _replaced(document: Mapping[str, Any], namesakes: Sequence[Mapping[str, Any]]) -> list[DocumentUid]:
    return [
        DocumentUid(each["uid"])
        for each in sorted(namesakes, key=lambda each: each["version"])
        if each["version"] < document["version"] and _replaces(document["replaces"], each["labels"])
    ]


def _replaces(scope: str | None, labels: Sequence[str]) -> bool:
    """Whether an upload with this scope (as stored) takes the place of a document with these labels."""
    if scope is None:
        return False
    held_labels = json.loads(scope)
    return held_labels == "*" or set(labels) <= set(held_labels)


async def _remove_some(transaction: Transaction, claim: Claim, limit: int) -> int:
    """Remove the first passages and all chunks; return how many passages are left."""
    first = await transaction.one(_FIRST_PASSAGES, **claimed(claim), limit=limit)
    assert first is not None, "an aggregation returns one record"
    await _remove(transaction, claim, first["ids"])
    await transaction.all("MATCH (c:Chunk {document: $document, kb: $kb}) DELETE c", **claimed(claim))
    left = await transaction.one(
        "RETURN COUNT { (:Document {uid: $document, kb: $kb})<-[:OF]-(:Passage) } AS passages", **claimed(claim)
    )
    assert left is not None, "a count returns one record"
    return int(left["passages"])


async def _remove(transaction: Transaction, claim: Claim, passages: Sequence[PassageId]) -> None:
    if not passages:
        return
    found = await transaction.all(_REMOVE_PASSAGES, kb=claim.kb, passages=list(passages))
    entities = sorted({entity for record in found for entity in record["found"]})
    await transaction.all(_REMOVE_ORPHANS, kb=claim.kb, entities=entities)
