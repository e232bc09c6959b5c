"""Which entities a document shares with others once it is published, and what it replaces then."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.sqlite.transitions import check, find_row
from atoll.domain.entity import EntityName
from atoll.domain.ids import DocumentUid, EntityId
from atoll.ports.ledger import Claim
from atoll.records.replacing import Rival, outcome
from atoll.records.rows.documents import replaces
from atoll.records.rows.values import texts


def vectors_wanted(
    connection: sqlite3.Connection,
    claim: Claim,
    vectors: Mapping[EntityId, NDArray[np.float16]],
    replaced: Sequence[DocumentUid],
) -> tuple[EntityName, ...]:
    """Return the document's entities that two visible passages share once it is published, and that have no vector.

    ``replaced`` are the documents that it hides then.
    """
    shared = connection.execute(
        "SELECT e.id, e.key FROM "
        "(SELECT entity, COUNT(*) AS n FROM mention WHERE document = ? GROUP BY entity) counted "
        "CROSS JOIN entity e ON e.id = counted.entity LEFT JOIN (SELECT entity, COUNT(*) AS n FROM mention "
        "WHERE document IN (SELECT value FROM json_each(?)) GROUP BY entity) leaving ON leaving.entity = e.id "
        "WHERE e.kb = ? AND e.vector IS NULL AND e.df + counted.n - COALESCE(leaving.n, 0) > 1 ORDER BY e.id",
        (claim.document, json.dumps(replaced), claim.kb),
    )
    return tuple(EntityName(row["id"], row["key"]) for row in shared if row["id"] not in vectors)


def likely_shared(
    connection: sqlite3.Connection, claim: Claim, passages: Mapping[EntityId, int]
) -> frozenset[EntityId]:
    """Return the entities without a vector that two passages mention, those of documents on their way included."""
    check(connection, claim)
    leaving = [claim.document, *(replaced_by(connection, find_row(connection, claim.document)) or ())]
    found = connection.execute(
        # A new reading on its way has the time of deletion 0.
        "SELECT own.key AS id FROM json_each(?) own LEFT JOIN entity e ON e.id = own.key AND e.kb = ? "
        "WHERE e.vector IS NULL AND (own.value > 1 OR EXISTS (SELECT 1 FROM mention m JOIN document d "
        "ON d.uid = m.document WHERE m.entity = own.key AND COALESCE(d.deleted_at, 0) = 0 "
        "AND d.uid NOT IN (SELECT value FROM json_each(?))))",
        (json.dumps(dict(passages)), claim.kb, json.dumps(leaving)),
    )
    return frozenset(EntityId(row["id"]) for row in found)


def replaced_by(connection: sqlite3.Connection, document: sqlite3.Row) -> tuple[DocumentUid, ...] | None:
    """Return what a document takes the place of; None when a later version has taken its own."""
    if document["is_new_reading"]:
        return (DocumentUid(document["other_reading"]),)
    return outcome(_rival(document), _namesakes(connection, document))


def _namesakes(connection: sqlite3.Connection, document: sqlite3.Row) -> list[Rival]:
    found = connection.execute(
        "SELECT uid, COALESCE(placed, seq) AS turn, labels, replaces FROM document "
        "WHERE kb = ? AND name = ? AND source IS ? AND visible = 1 "
        "AND uid != ?",
        (document["kb"], document["name"], document["source"], document["uid"]),
    )
    return list(map(_rival, found))


def _rival(row: sqlite3.Row) -> Rival:
    return Rival(DocumentUid(row["uid"]), row["turn"], texts(row["labels"]), replaces(row["replaces"]))
