"""What changes in a knowledge base, on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j.catalogue import documents_of
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import reading
from atoll.domain.document import Change, Document
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader

_LATEST, _CHANGED, _DEPARTED, _AMONG = load("changes", "latest", "changed", "departed", "among")


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
                **reading(reader),
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
            return documents_of(await transaction.all(_AMONG, **reading(reader), documents=list(documents)))

        return await self._database.read(work)


async def _latest(transaction: Transaction, reader: Reader) -> int:
    record = await transaction.one(_LATEST, kb=reader.kb)
    return 0 if record is None else int(record["latest"])
