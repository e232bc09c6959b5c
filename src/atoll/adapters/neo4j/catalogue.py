"""Listing documents on Neo4j."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from neo4j import Record

from atoll.adapters.neo4j.accepting import accept
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.patterns import regex_of
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import lock_kb, reading
from atoll.domain.document import Accepted, Document, DocumentPage, NewDocument, Status
from atoll.domain.ids import BatchId, DocumentUid, KbUid, new_uid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.domain.reading import PIPELINE
from atoll.errors import NotFound
from atoll.records.rows import documents as rows

_COUNT_BY_STATUS, _PAGE, _BATCH, _CENSUS, _COUNT_OLDER, _KB_TENANT, _DOCUMENT = load(
    "catalogue", "count_by_status", "page", "batch", "census", "count_older", "kb_tenant", "document"
)
#: Above every document's place in a listing.
_TOP = 2**62


class Neo4jCatalogue:
    """Port ``Catalogue``.

    Args:
        database: the record store.
        waiting_documents: how many documents may wait in one knowledge base.
    """

    def __init__(self, database: Database, *, waiting_documents: int) -> None:
        self._database = database
        self._waiting_documents = waiting_documents

    async def accept(
        self, reader: Reader, documents: Sequence[NewDocument], *, replace: bool, actor: Actor
    ) -> Accepted:
        """Write documents with their ledger rows and audit events."""
        batch = BatchId(new_uid())

        async def work(transaction: Transaction) -> Accepted:
            owner = await lock_kb(transaction, reader.kb)
            if owner is None or owner.get("deleted_at") is not None:
                raise NotFound("the knowledge base is gone")
            return await accept(
                transaction,
                reader,
                documents,
                batch=batch,
                replace=replace,
                actor=actor,
                most_waiting=self._waiting_documents,
                kb=owner,
            )

        # The files of an upload that was not accepted are removed: whether it was must not stay open.
        return await self._database.write(work, again_if_unsure=True)

    async def get(self, reader: Reader, document: DocumentUid) -> Document:
        """Return a document with its stages."""

        async def work(transaction: Transaction) -> Document:
            return await read_document(transaction, reader, document)

        return await self._database.read(work)

    async def page(
        self,
        reader: Reader,
        *,
        status: Status | None,
        name: str | None,
        limit: int,
        before: int | None,
        older: bool = False,
        warning: str | None = None,
        source: str | None = None,
        label: str | None = None,
    ) -> DocumentPage:
        """List documents, newest first."""
        pattern = None if name is None else regex_of(name)
        scope = {**reading(reader), "pattern": pattern, "source": source, "label": label, "pipeline": PIPELINE}
        chosen = {"status": status, "older": older, "warning": None if warning is None else rows.warning_json(warning)}

        async def work(transaction: Transaction) -> DocumentPage:
            counts = await transaction.all(_COUNT_BY_STATUS, **scope)
            found = await transaction.all(
                _PAGE, **scope, **chosen, before=_TOP if before is None else before, limit=limit + 1
            )
            return DocumentPage(
                documents=documents_of(found[:limit]),
                counts={Status(record["status"]): record["n"] for record in counts},
                older=sum(record["older"] for record in counts),
                next_before=found[limit - 1]["document"]["seq"] if len(found) > limit else None,
            )

        return await self._database.read(work)

    async def batch(self, reader: Reader, batch: str) -> tuple[Document, ...]:
        """Return the documents of one upload."""

        async def work(transaction: Transaction) -> tuple[Document, ...]:
            found = await transaction.all(_BATCH, **reading(reader), batch=batch)
            if not found:
                raise NotFound(f"there is no batch {batch} in this knowledge base")
            return documents_of(found)

        return await self._database.read(work)

    async def census(self) -> Mapping[Status, int]:
        """Return how many documents of the installation have each status."""

        async def work(transaction: Transaction) -> Mapping[Status, int]:
            found = await transaction.all(_CENSUS)
            return dict.fromkeys(Status, 0) | {Status(record["status"]): record["n"] for record in found}

        return await self._database.read(work)

    async def older(self) -> int:
        """Return how many documents of the installation an older pipeline read."""

        async def work(transaction: Transaction) -> int:
            record = await transaction.one(_COUNT_OLDER, pipeline=PIPELINE)
            assert record is not None, "a count returns one record"
            return int(record["older"])

        return await self._database.read(work)


async def find_kb_tenant(transaction: Transaction, kb: KbUid) -> str:
    """Return the tenant of a knowledge base. Raises NotFound."""
    record = await transaction.one(_KB_TENANT, kb=kb)
    if record is None:
        raise NotFound("the knowledge base is gone")
    return str(record["tenant"])


async def find_document(transaction: Transaction, reader: Reader, document: DocumentUid) -> Mapping[str, Any]:
    """Return what is kept of a document that the reader sees. Raises NotFound."""
    record = await transaction.one(_DOCUMENT, **reading(reader), document=document)
    if record is None:
        raise NotFound(f"there is no document {document} in this knowledge base")
    found: Mapping[str, Any] = record["document"]
    return found


async def read_document(transaction: Transaction, reader: Reader, document: DocumentUid) -> Document:
    """Return a document with its stages. Raises NotFound."""
    found = await find_document(transaction, reader, document)
    return rows.document(found, found["stages"])


def documents_of(found: Sequence[Record]) -> tuple[Document, ...]:
    """Return the documents of records that hold one each."""
    return tuple(rows.document(record["document"], record["document"]["stages"]) for record in found)
