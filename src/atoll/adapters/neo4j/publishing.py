"""Publishing a document: it is seen, entities count it and what it replaces is hidden, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from neo4j import Record
from numpy.typing import NDArray

from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.rereading import take_place
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import (
    audit,
    claimed,
    closing,
    fence,
    held,
    hide,
    values_of,
)
from atoll.domain.document import StageState
from atoll.domain.entity import EntityName
from atoll.domain.ids import DocumentUid, EntityId
from atoll.domain.reading import PIPELINE
from atoll.ports.contents import Published, VectorsWanted
from atoll.ports.ledger import Claim
from atoll.records import events
from atoll.records.replacing import Rival, outcome
from atoll.records.rows.documents import replaces

_PUBLISHED, _NAMESAKES, _LIKELY_SHARED, _SHARED_WITHOUT_VECTOR = load(
    "publishing", "published", "namesakes", "likely_shared", "shared_without_vector"
)
_RAISE_COUNTERS, _GIVE_VECTORS, _END_SUPERSEDED, _MAKE_VISIBLE = load(
    "publishing", "raise_counters", "give_vectors", "end_superseded", "make_visible"
)


class NotYetError(Exception):
    """Rolls back what was written before it turned out which vectors are missing."""

    def __init__(self, wanted: VectorsWanted) -> None:
        super().__init__()
        self.wanted = wanted


async def likely_shared(
    transaction: Transaction, claim: Claim, passages: Mapping[EntityId, int]
) -> frozenset[EntityId]:
    """Return the entities without a vector that two passages mention, those of documents on their way included."""
    found = await transaction.one(_NAMESAKES, document=claim.document, kb=claim.kb)
    leaving = [claim.document, *((found and _replaced(found)) or ())]
    record = await transaction.one(
        _LIKELY_SHARED, kb=claim.kb, leaving=leaving, names=[[entity, n] for entity, n in passages.items()]
    )
    assert record is not None, "an aggregation returns one record"
    return frozenset(EntityId(entity) for entity in record["wanted"])


async def vectors_wanted(transaction: Transaction, claim: Claim) -> VectorsWanted:
    """Return the entities that the claim's document would make shared and that have no vector yet."""
    found = await transaction.one(_NAMESAKES, document=claim.document, kb=claim.kb)
    if found is None:  # deleted, and purged since; the publish says so
        return VectorsWanted(())
    leaving = _replaced(found)
    if leaving is None:  # a later one has taken its place; the publish says so
        return VectorsWanted(())
    record = await transaction.one(_SHARED_WITHOUT_VECTOR, **claimed(claim), token=claim.token, leaving=list(leaving))
    assert record is not None, "an aggregation returns one record"
    return _wanted(record)


async def publish(transaction: Transaction, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published:
    """Make the document of a claim visible.

    Raises:
        LeaseLost: the claim's token no longer holds.
        NotYetError: vectors are missing, and something was written already: the transaction must not be committed.
    """
    found = await held(transaction, claim, _PUBLISHED)
    replaced = _replaced(found)
    if replaced is None:
        return await _supersede(transaction, claim, found["tenant"])
    return await _make_visible(transaction, claim, found, replaced, vectors)


def _replaced(found: Record) -> tuple[DocumentUid, ...] | None:
    """Return what a document takes the place of; None when a later version has taken its own."""
    document = found["document"]
    if document["is_new_reading"]:
        return (DocumentUid(document["other_reading"]),)
    return outcome(_rival(document), list(map(_rival, found["namesakes"])))


async def _supersede(transaction: Transaction, claim: Claim, tenant: str) -> Published:
    """End a document whose place a later one of its name has taken already."""
    await held(transaction, claim, _END_SUPERSEDED, **closing(StageState.DONE, units=1))
    await fence(transaction, claim.kb, claim.document)
    await hide(transaction, claim.kb, [claim.document], visible=False)
    await audit(transaction, tenant, events.document_superseded(claim.document))
    return Published(revision=0, replaced=(), superseded=True)


async def _make_visible(
    transaction: Transaction,
    claim: Claim,
    found: Record,
    replaced: tuple[DocumentUid, ...],
    vectors: Mapping[EntityId, NDArray[np.float16]],
) -> Published:
    # Up before what is replaced comes off: an entity that both mention stays shared and keeps its vector.
    counted = await transaction.one(_RAISE_COUNTERS, kb=claim.kb, document=claim.document)
    told = []
    for uid in replaced:
        await fence(transaction, claim.kb, uid)
        if found["document"]["is_new_reading"]:
            await take_place(transaction, claim.kb, claim.document, uid)
        else:
            revision = await hide(transaction, claim.kb, [uid], visible=True)
            told.append(events.document_replaced(uid, revision))
    given = {entity: vector.tobytes() for entity, vector in vectors.items()}
    lacking = await transaction.one(_GIVE_VECTORS, kb=claim.kb, document=claim.document, vectors=given)
    assert counted is not None, "an aggregation returns one record"
    assert lacking is not None, "an aggregation returns one record"
    if lacking["wanted"]:
        raise NotYetError(_wanted(lacking))
    told.append(events.document_published(claim.document))
    published = await transaction.one(
        _MAKE_VISIBLE,
        **claimed(claim),
        **closing(StageState.DONE, units=1),
        entities=counted["entities"],
        pipeline=PIPELINE,
        tenant=found["tenant"],
        events=values_of(*told),
    )
    assert published is not None, "stage, document and knowledge base are locked"
    return Published(revision=int(published["revision"]), replaced=replaced, superseded=False)


def _wanted(record: Record) -> VectorsWanted:
    return VectorsWanted(tuple(EntityName(EntityId(id_), key) for id_, key in record["wanted"]))


def _rival(row: Mapping[str, Any]) -> Rival:
    return Rival(DocumentUid(row["uid"]), row["turn"], tuple(row["labels"]), replaces(row["replaces"]))
