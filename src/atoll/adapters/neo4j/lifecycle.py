"""Deleting, retrying and cancelling documents on Neo4j."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.catalogue import (
    ENDED,
    UNDER_WAY,
    find_document,
    find_kb_tenant,
    queue_again,
    read_document,
)
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import Event, audit, fence, hide, lock_kb, set_status
from atoll.domain.document import Document, Receipt, StageState, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import Conflict

# Another visible document mentions an entity exactly when its counter is above what this document adds to it.
_COUNT = """
MATCH (d:Document {uid: $document, kb: $kb})
CALL (d) { OPTIONAL MATCH (d)<-[:OF]-(:Passage)-[:MENTIONS]->(e:Entity)
           WITH d, e, count(e) AS n WHERE e IS NOT NULL
           RETURN count(e) AS entities, coalesce(sum(n), 0) AS mentions,
                  count(CASE WHEN e.df > CASE WHEN d.visible THEN n ELSE 0 END THEN 1 END) AS kept }
RETURN entities, mentions, kept, COUNT { (d)<-[:OF]-(:Passage) } AS passages,
       COUNT { (:Chunk {document: $document, kb: $kb}) } AS chunks,
       COUNT { (d)<-[:OF]-(:Passage)<-[:STATED_IN]-(:Assertion) } AS assertions
"""


class Neo4jLifecycle:
    """Port ``Lifecycle``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document and queue its purge."""

        async def look(transaction: Transaction) -> Receipt:
            removed, kept = await _count(transaction, await find_document(transaction, reader, document))
            return Receipt(document=document, dry_run=True, removed=removed, kept_entities=kept)

        async def work(transaction: Transaction) -> Receipt:
            await fence(transaction, reader.kb, document)
            owner = await lock_kb(transaction, reader.kb)
            found = await find_document(transaction, reader, document)
            assert owner is not None, "a document that is there has its knowledge base"
            removed, kept = await _count(transaction, found)
            revision = await hide(transaction, reader.kb, [document], visible=found["visible"])
            await audit(
                transaction,
                owner["tenant"],
                Event(actor, "document.deleted", f"document {document}", revision=revision),
            )
            return Receipt(document=document, dry_run=False, removed=removed, kept_entities=kept)

        return await (self._database.read(look) if dry_run else self._database.write(work))

    async def retry(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Queue an ended document again."""

        async def work(transaction: Transaction) -> Document:
            await fence(transaction, reader.kb, document)
            found = await find_document(transaction, reader, document)
            if Status(found["status"]) not in ENDED:
                raise Conflict(
                    f"the document is {found['status']}; only failed, quarantined or cancelled ones are retried"
                )
            await queue_again(transaction, reader.kb, document)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, Event(actor, "document.retried", f"document {document}"))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a document."""

        async def work(transaction: Transaction) -> Document:
            await fence(transaction, reader.kb, document)
            found = await find_document(transaction, reader, document)
            if Status(found["status"]) not in UNDER_WAY:
                raise Conflict(f"the document is {found['status']}; only queued or processing ones are cancelled")
            await transaction.all(
                "MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.state = $running SET s.state = $waiting",
                kb=reader.kb,
                document=document,
                running=StageState.RUNNING,
                waiting=StageState.WAITING,
            )
            await set_status(transaction, reader.kb, document, Status.CANCELLED)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, Event(actor, "document.cancelled", f"document {document}"))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)


async def _count(transaction: Transaction, document: Mapping[str, Any]) -> tuple[dict[str, int], int]:
    """Return what a deletion removes, and how many of the document's entities other documents mention too."""
    counted = await transaction.one(_COUNT, document=document["uid"], kb=document["kb"])
    assert counted is not None, "the document was found in this transaction"
    removed = {
        "passages": counted["passages"],
        "chunks": counted["chunks"],
        "pages": document["pages"],
        "entities": counted["entities"] - counted["kept"],
        "mentions": counted["mentions"],
        "assertions": counted["assertions"],
        "vectors": counted["passages"] if document["indexed"] else 0,
        "bytes": document["bytes"],
    }
    return removed, counted["kept"]
