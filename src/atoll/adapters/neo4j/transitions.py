"""What several transactions do alike: fencing, change numbers, audit events, hiding documents.

Every function here runs inside a write transaction of its caller. ``SET x.locked = true`` takes a node's write lock
and, from the second time on, writes nothing; whatever may have changed while it waited is read after it. A property
that a statement read before the lock may come from a cache after it, so that statements match by what never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j import Record

from atoll.adapters.neo4j.database import Transaction
from atoll.domain.document import DEPARTURE_MILLISECONDS, JOURNEY, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.principal import Actor
from atoll.errors import LeaseLost
from atoll.ports.ledger import Claim

#: The actor of what the system does by itself.
SYSTEM = Actor(subject="system", request_id="-")

_PURGE_POSITION = 100

#: Stage ``s`` of a claim, locked, if the claim's token still holds.
_HELD = (
    "MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) SET s.locked = true WITH s WHERE s.token = $token "
)

#: Ends a claim: the token moves on, so that a late write of the same worker is refused too. Parameters of `closing`.
CLOSE = (
    "SET s.state = $state, s.owner = null, s.token = s.token + 1, s.lease_until = 0, s.error = $error, "
    "s.done = coalesce($units, s.done), s.total = coalesce($units, s.total), "
    "s.worked = s.worked + CASE WHEN timestamp() > s.claimed_at THEN timestamp() - s.claimed_at ELSE 0 END "
)

#: Gives document ``d`` the next change number of its knowledge base; last but for the audit trail.
CHANGE = (
    "WITH * MATCH (c:Changes {kb: $kb}) SET c.locked = true "
    "WITH * SET c.value = c.value + 1 SET d.changed_seq = c.value "
)

# Numbers are counted from what stood there before: a statement that raises a counter row by row may finish with all
# rows before it reads the counter for the first of them.
_CHANGE_MANY = (
    "MATCH (c:Changes {kb: $kb}) SET c.locked = true WITH c, c.value AS before "
    "SET c.value = before + size($documents) WITH before UNWIND range(0, size($documents) - 1) AS at "
    "MATCH (d:Document {uid: $documents[at], kb: $kb}) SET d.changed_seq = before + at + 1"
)

#: Writes ``$events`` of `values_of`; those without a revision take the variable ``revision``.
AUDIT = (
    "CALL (revision) { "
    "MERGE (t:AuditTrail {name: 'events'}) ON CREATE SET t.value = 0 SET t.locked = true "
    "WITH t, t.value AS before SET t.value = before + size($events) "
    "WITH before UNWIND range(0, size($events) - 1) AS at "
    "CREATE (e:AuditEvent {tenant: $tenant, id: before + at + 1}) SET e += $events[at], e.at = timestamp(), "
    "e.revision = coalesce($events[at].revision, revision) "
    "RETURN max(e.id) AS id } "
)

_FENCE = (
    "MATCH (s:Stage {document: $document, kb: $kb}) WITH s ORDER BY s.position SET s.locked = true "
    "WITH s SET s.token = s.token + 1, s.owner = null"
)

_RENEW_JOURNEY = (
    "UNWIND range(0, size($journey) - 1) AS position "
    "MERGE (s:Stage {document: $document, name: $journey[position]}) "
    "ON CREATE SET s.kb = $kb, s.state = $waiting, s.batch = 0, s.token = 0, s.lease_until = 0, s.not_before = 0, "
    "s.failures = 0, s.attempts = 0, s.claimed_at = 0, s.worked = 0, s.done = 0, s.total = 0 "
    "SET s.position = position"
)

_LOCK_KB = "MATCH (k:Kb {uid: $kb}) SET k.locked = true WITH k RETURN k {.*} AS kb"

# By id, so that several transactions on the same entities wait for each other and do not deadlock.
_TAKE_COUNTERS_OFF = (
    "UNWIND $documents AS uid MATCH (:Document {uid: uid, kb: $kb})<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity) "
    "WITH e, count(*) AS n ORDER BY e.id SET e.locked = true WITH e, e.df - n AS df "
    "SET e.df = df, e.vector = CASE WHEN df > 1 THEN e.vector ELSE null END"
)

_HIDE = (
    "MATCH (k:Kb {uid: $kb}) UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) "
    "WITH k, collect(d) AS documents, sum(d.bytes) AS bytes, "
    "sum(CASE WHEN d.visible THEN d.passages ELSE 0 END) AS passages "
    "SET k.revision = k.revision + size(documents), k.documents = k.documents - size(documents), "
    "k.bytes = k.bytes - bytes, k.passages = k.passages - passages "
    "WITH k.revision AS revision, documents UNWIND documents AS d "
    "SET d.visible = false, d.deleted_at = timestamp(), d.live_bytes = null, d.rung_at = 0, "
    "d.hidden = CASE WHEN d.indexed THEN true ELSE null END "
    "WITH revision, d CALL (d) { MATCH (s:Stage {document: d.uid, kb: $kb}) SET s.state = $done } "
    "CREATE (:Stage {document: d.uid, kb: $kb, name: $purge, position: $position, state: $waiting, batch: 0, token: 0, "
    "lease_until: 0, not_before: 0, failures: 0, attempts: 0, claimed_at: 0, worked: 0, done: 0, total: 0}) "
    "RETURN max(revision) AS revision"
)

# After the change numbers are given: a departure has that of its document.
_DEPART = (
    "CALL () { MATCH (old:Departure {kb: $kb}) WHERE old.at < timestamp() - $kept DELETE old } "
    "UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) "
    "CREATE (:Departure {kb: $kb, document: uid, changed_seq: d.changed_seq, labels: d.labels, at: timestamp()})"
)

_REMOVE_EMPTY_KB = (
    "MATCH (k:Kb {uid: $kb}) SET k.locked = true "
    "WITH k WHERE k.deleted_at IS NOT NULL AND NOT EXISTS { MATCH (d:Document {kb: $kb}) } "
    "OPTIONAL MATCH (c:Changes {kb: $kb}) DELETE k, c "
    "WITH count(*) AS removed WHERE removed > 0 MATCH (d:Departure {kb: $kb}) DELETE d"
)


@dataclass(frozen=True, slots=True)
class Event:
    """An audit event that is about to be written."""

    actor: Actor
    action: str
    subject: str
    result: str = "ok"
    revision: int | None = None


async def held(transaction: Transaction, claim: Claim, then: str = "RETURN 1", **values: object) -> Record:
    """Lock the claim's stage ``s``, go on with ``then`` in the same statement, and return its record.

    Raises:
        LeaseLost: the claim's token no longer holds.
    """
    record = await transaction.one(f"{_HELD}{then}", **claimed(claim), token=claim.token, **values)
    if record is None:
        raise LeaseLost(f"{claim.stage} of {claim.document} was taken over or ended; nothing was written")
    return record


def claimed(claim: Claim) -> dict[str, object]:
    """Return the parameters that name a claim's stage."""
    return {"document": claim.document, "stage": claim.stage, "kb": claim.kb}


def closing(state: StageState, *, units: int | None = None, error: str | None = None) -> dict[str, object]:
    """Return the parameters of `CLOSE`."""
    return {"state": state, "units": units, "error": error}


async def change(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
    """Give the documents the next change numbers, in this order."""
    await transaction.all(_CHANGE_MANY, kb=kb, documents=list(documents))


async def audit(transaction: Transaction, tenant: str, *events: Event) -> int:
    """Write audit events in the transaction of what they tell of; return the number of the last."""
    records = await transaction.all(f"WITH null AS revision {AUDIT}RETURN id", tenant=tenant, events=values_of(*events))
    return int(records[-1]["id"])


def values_of(*events: Event) -> list[dict[str, object]]:
    """Return the parameter ``$events`` of `AUDIT`."""
    return [
        {
            "actor": event.actor.subject,
            "action": event.action,
            "object": event.subject,
            "result": event.result,
            "request_id": event.actor.request_id,
            "revision": event.revision,
        }
        for event in events
    ]


async def renew_journey(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Give a document the stages of this version's journey, in their places; one of an earlier version lacks some."""
    await transaction.all(_RENEW_JOURNEY, kb=kb, document=document, journey=list(JOURNEY), waiting=StageState.WAITING)


async def fence(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Lock the document's stages and make every claim on them void; claimants may still act until ``lease_until``."""
    await transaction.all(_FENCE, kb=kb, document=document)


async def lock_kb(transaction: Transaction, kb: KbUid) -> Mapping[str, Any] | None:
    """Lock a knowledge base against publishes, deletes and uploads of others, and return its properties."""
    record = await transaction.one(_LOCK_KB, kb=kb)
    return None if record is None else record["kb"]


async def hide(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid], *, visible: bool) -> int:
    """Take documents out of everyone's sight and queue their purge; return the knowledge base's new revision.

    The caller has fenced them and locked the knowledge base. ``visible`` says whether any of them is visible; all
    of ``documents`` then are.
    """
    if visible:
        await transaction.all(_TAKE_COUNTERS_OFF, kb=kb, documents=list(documents))
    record = await transaction.one(
        _HIDE,
        kb=kb,
        documents=list(documents),
        done=StageState.DONE,
        waiting=StageState.WAITING,
        purge=Stage.PURGE,
        position=_PURGE_POSITION,
    )
    assert record is not None, "an aggregation returns one record"
    await change(transaction, kb, documents)
    await transaction.all(_DEPART, kb=kb, documents=list(documents), kept=DEPARTURE_MILLISECONDS)
    return int(record["revision"])


async def set_status(transaction: Transaction, kb: KbUid, document: DocumentUid, status: Status) -> None:
    """Set a document's status and note the change; an ended document is no longer rung for."""
    await transaction.all(
        "MATCH (d:Document {uid: $document, kb: $kb}) "
        f"SET d.status = $status, d.rung_at = CASE WHEN $open THEN d.rung_at ELSE null END {CHANGE}",
        kb=kb,
        document=document,
        status=status,
        open=status in {Status.QUEUED, Status.PROCESSING},
    )


async def remove_empty_kb(transaction: Transaction, kb: KbUid) -> None:
    """Remove a deleted knowledge base once its last document is gone."""
    await transaction.all(_REMOVE_EMPTY_KB, kb=kb)


def labels_of(labels: frozenset[str] | None) -> list[str] | None:
    """Return the parameter ``$labels`` of `rows.SEEN`."""
    return None if labels is None else sorted(labels)
