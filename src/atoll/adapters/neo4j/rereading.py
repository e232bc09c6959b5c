"""Reading a document again on Neo4j: a hidden node of its own, which takes the place of the old one when published.

Every function here runs inside a write transaction of its caller.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.amending import queue_relabel
from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import change, fence, withdraw
from atoll.domain.artefact import keys_before
from atoll.domain.document import JOURNEY, Stage, Status
from atoll.domain.ids import DocumentUid, KbUid, reading_uid
from atoll.records.lifecycle import check_reprocess
from atoll.records.rows.documents import artefacts, restated, told_metadata

_READING_STATUS, _BEGIN, _FORGET_READING, _NOTE_FAILURE, _TAKE_PLACE, _RESTATE = load(
    "rereading", "reading_status", "begin", "forget_reading", "note_failure", "take_place", "restate"
)


async def begin(transaction: Transaction, kb: KbUid, document: Mapping[str, Any], stage: Stage) -> None:
    """Let a document be read again from a stage on, beside the reading that readers see; its stages are locked.

    Raises:
        Conflict: it is in a state in which that cannot be.
        BadInput: nothing is read again from that stage on.
    """
    check_reprocess(Status(document["status"]), await status_of_other(transaction, kb, document), stage)
    uid = DocumentUid(document["uid"])
    if document["other_reading"] is not None:
        await discard(transaction, kb, document)
    new = reading_uid(uid)
    await transaction.all(
        _BEGIN,
        kb=kb,
        document=uid,
        reading=new,
        artefacts=json.dumps(keys_before(artefacts(document["artefacts_json"]), stage)),
        journey=list(JOURNEY),
        first=JOURNEY.index(stage),
    )
    await change(transaction, kb, [new, uid])


async def status_of_other(transaction: Transaction, kb: KbUid, document: Mapping[str, Any]) -> Status | None:
    """Return where the reading stands that is being made of a document, None when there is none."""
    if document["other_reading"] is None:
        return None
    record = await transaction.one(_READING_STATUS, kb=kb, reading=document["other_reading"])
    assert record is not None, "a document's other reading is there until it is published or given up"
    return Status(record["status"])


async def discard(transaction: Transaction, kb: KbUid, document: Mapping[str, Any]) -> None:
    """Give up the new reading of a document."""
    other = DocumentUid(document["other_reading"])
    await fence(transaction, kb, other)
    await withdraw(transaction, kb, [other], visible=False)
    await transaction.all(_FORGET_READING, kb=kb, document=document["uid"])


async def note_failure(transaction: Transaction, kb: KbUid, reading: DocumentUid) -> None:
    """Show the error of a new reading at its document; nothing happens for a document's only reading."""
    await transaction.all(_NOTE_FAILURE, kb=kb, reading=reading)


async def take_place(transaction: Transaction, kb: KbUid, new: DocumentUid, old: DocumentUid) -> None:
    """Let a new reading be the document: with its place in lists, its uploads, and what people set meanwhile."""
    await withdraw(transaction, kb, [old], visible=True)
    taken = await transaction.one(_TAKE_PLACE, kb=kb, document=new, old=old)
    assert taken is not None, "both readings are locked"
    metadata = restated(taken["old"], told_metadata(taken["new"]))
    await transaction.all(_RESTATE, kb=kb, document=new, metadata=json.dumps(metadata), facts=facts_of(metadata))
    if taken["is_relabelled"]:
        await queue_relabel(transaction, kb, new)
