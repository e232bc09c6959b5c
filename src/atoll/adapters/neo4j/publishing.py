"""Publishing a document: it is seen, entities count it and what it replaces is hidden, all in one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from neo4j import Record
from numpy.typing import NDArray

from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.transitions import (
    AUDIT,
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
    values_of,
)
from atoll.domain.document import StageState, Status
from atoll.domain.entity import EntityName
from atoll.domain.ids import DocumentUid, EntityId
from atoll.ports.contents import Published, VectorsWanted
from atoll.ports.ledger import Claim

# The knowledge base is locked before anything is read that other publishes and deletes change.
_PUBLISHED = (
    "WITH s MATCH (k:Kb {uid: $kb}) SET k.locked = true WITH k "
    "MATCH (d:Document {uid: $document, kb: $kb}) "
    "RETURN d {.uid, .kb, .name, .version, .labels, .replaces, .passages} AS document, k.tenant AS tenant, "
    "COLLECT { MATCH (o:Document {kb: $kb, name: d.name}) WHERE o.visible AND o.uid <> d.uid "
    "RETURN o {.uid, .version, .labels, .replaces} } AS namesakes"
)
# Asked before anything is locked: counters may still move, so that raising them asks again.
_SHARED_WITHOUT_VECTOR = (
    "MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) WHERE s.token = $token "
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
# The revision after all else but the audit trail, so that nobody sees the new one before what it stands for.
_MAKE_VISIBLE = (
    f"MATCH (s:Stage {{document: $document, name: $stage, kb: $kb}}) {CLOSE}"
    "WITH s MATCH (d:Document {uid: $document, kb: $kb}) "
    "SET d.visible = true, d.status = $ready, d.error_json = null, d.ready_at = timestamp(), d.entities = $entities, "
    f"d.hidden = null, d.rung_at = null {CHANGE}"
    "WITH d MATCH (k:Kb {uid: $kb}) SET k.revision = k.revision + 1, k.passages = k.passages + d.passages "
    f"WITH k.revision AS revision {AUDIT}RETURN revision"
)


class NotYetError(Exception):
    """Rolls back what was written before it turned out which vectors are missing."""

    def __init__(self, wanted: VectorsWanted) -> None:
        super().__init__()
        self.wanted = wanted


async def vectors_wanted(transaction: Transaction, claim: Claim) -> VectorsWanted:
    """Return the entities that the claim's document would make shared and that have no vector yet."""
    record = await transaction.one(_SHARED_WITHOUT_VECTOR, **claimed(claim), token=claim.token)
    assert record is not None, "an aggregation returns one record"
    return _wanted(record)


async def publish(transaction: Transaction, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published:
    """Make the document of a claim visible.

    Raises:
        LeaseLost: the claim's token no longer holds.
        NotYetError: vectors are missing, and something was written already: the transaction must not be committed.
    """
    found = await held(transaction, claim, _PUBLISHED)
    if _is_superseded(found["document"], found["namesakes"]):
        return await _withdraw(transaction, claim, found["tenant"])
    return await _make_visible(transaction, claim, found, vectors)


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
        raise NotYetError(_wanted(counted))
    events.append(Event(SYSTEM, "document.published", f"document {claim.document}"))
    published = await transaction.one(
        _MAKE_VISIBLE,
        **claimed(claim),
        **closing(StageState.DONE, units=1),
        ready=Status.READY,
        entities=counted["entities"],
        tenant=found["tenant"],
        events=values_of(*events),
    )
    assert published is not None, "stage, document and knowledge base are locked"
    return Published(revision=int(published["revision"]), replaced=tuple(replaced), superseded=False)


def _wanted(record: Record) -> VectorsWanted:
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
