"""What several transactions do alike: fencing, change numbers, audit events, hiding documents.

Every function here runs inside a write transaction of its caller. ``SET x.locked = true`` takes a node's write lock
and, from the second time on, writes nothing. After taking the lock Cypher may still return the value that it read
before: statements match on what never changes, and read what changes in a later clause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neo4j import Record

from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.statements import load, load_one
from atoll.domain.document import DEPARTURE_MILLISECONDS, JOURNEY, PURGE_POSITION, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.principal import Event
from atoll.domain.reader import Reader
from atoll.errors import LeaseLost
from atoll.ports.ledger import Claim

CHECK_CLAIM = load_one("transitions", "check_claim")
_WRITE_EVENTS, _CHANGE_MANY, _FENCE, _RENEW_JOURNEY, _LOCK_KB = load(
    "transitions", "write_events", "change_many", "fence", "renew_journey", "lock_kb"
)
_TAKE_COUNTERS_OFF, _OTHER_READINGS, _UNCOUNT, _WITHDRAW, _DEPART, _SET_STATUS, _REMOVE_EMPTY_KB = load(
    "transitions",
    "take_counters_off",
    "other_readings",
    "uncount",
    "withdraw",
    "depart",
    "set_status",
    "remove_empty_kb",
)


async def held(transaction: Transaction, claim: Claim, statement: str = CHECK_CLAIM, **values: object) -> Record:
    """Run a statement that begins with ``<<held>>``, which locks the claim's stage, and return its record.

    Raises:
        LeaseLost: the claim's token no longer holds.
    """
    record = await transaction.one(statement, **claimed(claim), token=claim.token, **values)
    if record is None:
        raise LeaseLost(f"{claim.stage} of {claim.document} was taken over or ended; nothing was written")
    return record


def claimed(claim: Claim) -> dict[str, object]:
    """Return the parameters that name a claim's stage."""
    return {"document": claim.document, "stage": claim.stage, "kb": claim.kb}


def closing(state: StageState, *, units: int | None = None, error: str | None = None) -> dict[str, object]:
    """Return the parameters of ``<<close>>``."""
    return {"state": state, "units": units, "error": error}


async def change(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
    """Give the documents the next change numbers, in this order."""
    await transaction.all(_CHANGE_MANY, kb=kb, documents=list(documents))


async def audit(transaction: Transaction, tenant: str, *events: Event) -> int:
    """Write audit events in the transaction of what they tell of; return the number of the last."""
    records = await transaction.all(_WRITE_EVENTS, tenant=tenant, events=values_of(*events))
    return int(records[-1]["id"])


def values_of(*events: Event) -> list[dict[str, object]]:
    """Return the parameter ``$events`` of ``<<audit>>``."""
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
    await transaction.all(_RENEW_JOURNEY, kb=kb, document=document, journey=list(JOURNEY))


async def fence(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Lock the document's stages and make every claim on them void; claimants may still act until ``lease_until``."""
    await transaction.all(_FENCE, kb=kb, document=document)


async def lock_kb(transaction: Transaction, kb: KbUid) -> Mapping[str, Any] | None:
    """Lock a knowledge base against publishes, deletes and uploads of others, and return its properties."""
    record = await transaction.one(_LOCK_KB, kb=kb)
    return None if record is None else record["kb"]


async def hide(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid], *, visible: bool) -> int:
    """Take documents out of everyone's sight and queue their purge; return the knowledge base's new revision.

    New readings of them that are not published go, too. The caller has fenced the documents and locked the knowledge
    base. ``visible`` says whether any of them is visible; all of ``documents`` then are.
    """
    others = await transaction.one(_OTHER_READINGS, kb=kb, documents=list(documents))
    assert others is not None, "an aggregation returns one record"
    for other in others["uids"]:
        await fence(transaction, kb, other)
    await withdraw(transaction, kb, others["uids"], visible=False)
    record = await transaction.one(_UNCOUNT, kb=kb, documents=list(documents))
    assert record is not None, "the knowledge base is locked"
    await withdraw(transaction, kb, documents, visible=visible)
    await depart(transaction, kb, documents)
    return int(record["revision"])


async def withdraw(transaction: Transaction, kb: KbUid, readings: Sequence[DocumentUid], *, visible: bool) -> None:
    """Take readings of documents out of sight, as ``hide`` does for whole documents, and queue their purge."""
    if not readings:
        return
    if visible:
        await transaction.all(_TAKE_COUNTERS_OFF, kb=kb, documents=list(readings))
    await transaction.all(_WITHDRAW, kb=kb, documents=list(readings), position=PURGE_POSITION)
    await change(transaction, kb, readings)


async def depart(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
    """Note for watchers that documents left the sight of those who hold their labels; old notes go.

    Whatever hides, deletes or relabels documents calls this while they still have the labels of before. A watcher who
    sees a document all the same is told of its change alone.
    """
    await transaction.all(_DEPART, kb=kb, documents=list(documents), kept=DEPARTURE_MILLISECONDS)


async def set_status(transaction: Transaction, kb: KbUid, document: DocumentUid, status: Status) -> None:
    """Set a document's status and note the change; an ended document is no longer rung for."""
    await transaction.all(_SET_STATUS, kb=kb, document=document, status=status, open=status.is_under_way)


async def remove_empty_kb(transaction: Transaction, kb: KbUid) -> None:
    """Remove a deleted knowledge base once its last document is gone."""
    await transaction.all(_REMOVE_EMPTY_KB, kb=kb)


def reading(reader: Reader) -> dict[str, object]:
    """Return the parameters that name a reader: ``$kb``, and ``$labels`` of ``<<seen>>``."""
    return {"kb": reader.kb, "labels": None if reader.labels is None else sorted(reader.labels)}
