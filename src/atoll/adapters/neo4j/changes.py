"""What changes in a knowledge base, on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import labels_of
from atoll.domain.document import Change, Document
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader

# A statement sees what was committed when each part of it ran. Numbers are given under a lock that is held until the
# commit, so that everything up to the number read first is there for whatever is read after it.
_LATEST = "MATCH (c:Changes {kb: $kb}) RETURN c.value AS latest"
_CHANGED = (
    "MATCH (d:Document {kb: $kb}) WHERE d.changed_seq > $number AND d.changed_seq <= $latest AND d.deleted_at IS NULL "
    f"AND {rows.SEEN} RETURN d.changed_seq AS number, d.uid AS uid, d.labels AS labels, false AS gone "
    "ORDER BY number LIMIT $limit"
)
_DEPARTED = (
    "MATCH (d:Departure {kb: $kb}) WHERE d.changed_seq > $number AND d.changed_seq <= $latest "
    f"AND {rows.SEEN} RETURN d.changed_seq AS number, d.document AS uid, d.labels AS labels, true AS gone "
    "ORDER BY number LIMIT $limit"
)


class Neo4jChanges:
    """Port ``Changes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, reader: Reader) -> int:
        """Return the number of the latest change."""
        return await self._database.read(lambda transaction: _latest(transaction, reader))

    async def after(self, reader: Reader, number: int, *, limit: int) -> tuple[Change, ...]:
        """Return changes in order."""

        async def work(transaction: Transaction) -> tuple[Change, ...]:
            values = {
                "kb": reader.kb,
                "labels": labels_of(reader.labels),
                "number": number,
                "latest": await _latest(transaction, reader),
                "limit": limit,
            }
            found = [*await transaction.all(_CHANGED, **values), *await transaction.all(_DEPARTED, **values)]
            found.sort(key=lambda record: int(record["number"]))
            return tuple(
                Change(
                    int(record["number"]),
                    DocumentUid(record["uid"]),
                    frozenset(record["labels"]),
                    is_departure=record["gone"],
                )
                for record in found[:limit]
            )

        return await self._database.read(work)

    async def among(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[Document, ...]:
        """Return those that are there for the reader."""

        async def work(transaction: Transaction) -> tuple[Document, ...]:
            found = await transaction.all(
                "UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) "
                f"WHERE d.deleted_at IS NULL AND {rows.SEEN} RETURN {rows.DOCUMENT} AS document",
                kb=reader.kb,
                labels=labels_of(reader.labels),
                documents=list(documents),
            )
            return tuple(rows.document(record["document"]) for record in found)

        return await self._database.read(work)


async def _latest(transaction: Transaction, reader: Reader) -> int:
    record = await transaction.one(_LATEST, kb=reader.kb)
    return 0 if record is None else int(record["latest"])
