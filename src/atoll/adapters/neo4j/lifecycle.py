"""Deleting, amending, retrying and cancelling documents on Neo4j."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.accepting import queue_again
from atoll.adapters.neo4j.amending import amend
from atoll.adapters.neo4j.catalogue import find_document, find_kb_tenant, read_document
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, fence, hide, lock_kb, set_status
from atoll.domain.document import Amendment, Document, Receipt, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records import events
from atoll.records.lifecycle import check_cancel, check_retry
from atoll.records.receipts import Counted, receipt

_COUNT, _STOP_STAGES, _LOCK_STAGES = load("lifecycle", "count", "stop_stages", "lock_stages")


class Neo4jLifecycle:
    """Port ``Lifecycle``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document and queue its purge."""

        async def look(transaction: Transaction) -> Receipt:
            counted = await _count(transaction, await find_document(transaction, reader, document))
            return receipt(counted, dry_run=True)

        async def work(transaction: Transaction) -> Receipt:
            await fence(transaction, reader.kb, document)
            owner = await lock_kb(transaction, reader.kb)
            found = await find_document(transaction, reader, document)
            assert owner is not None, "a document that is there has its knowledge base"
            counted = await _count(transaction, found)
            revision = await hide(transaction, reader.kb, [document], visible=found["visible"])
            await audit(transaction, owner["tenant"], events.document_deleted(actor, document, revision))
            return receipt(counted, dry_run=False)

        return await (self._database.read(look) if dry_run else self._database.write(work))

    async def amend(self, reader: Reader, document: DocumentUid, amendment: Amendment, actor: Actor) -> Document:
        """Change labels, metadata or place."""

        async def work(transaction: Transaction) -> Document:
            # In the order of publish and delete: stages, then the knowledge base.
            await transaction.all(_LOCK_STAGES, kb=reader.kb, document=document)
            owner = await lock_kb(transaction, reader.kb)
            found = await find_document(transaction, reader, document)
            assert owner is not None, "a document that is there has its knowledge base"
            await amend(transaction, reader, found, amendment, tenant=owner["tenant"], actor=actor)
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def retry(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Queue an ended document again."""

        async def work(transaction: Transaction) -> Document:
            await fence(transaction, reader.kb, document)
            check_retry(Status((await find_document(transaction, reader, document))["status"]))
            await queue_again(transaction, reader.kb, document)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, events.document_retried(actor, document))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a document."""

        async def work(transaction: Transaction) -> Document:
            await fence(transaction, reader.kb, document)
            check_cancel(Status((await find_document(transaction, reader, document))["status"]))
            await transaction.all(_STOP_STAGES, kb=reader.kb, document=document)
            await set_status(transaction, reader.kb, document, Status.CANCELLED)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, events.document_cancelled(actor, document))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)


async def _count(transaction: Transaction, document: Mapping[str, Any]) -> Counted:
    counted = await transaction.one(_COUNT, document=document["uid"], kb=document["kb"])
    assert counted is not None, "the document was found in this transaction"
    return Counted(
        document=DocumentUid(document["uid"]),
        passages=counted["passages"],
        chunks=counted["chunks"],
        pages=document["pages"],
        entities=counted["entities"],
        kept=counted["kept"],
        mentions=counted["mentions"],
        assertions=counted["assertions"],
        bytes=document["bytes"],
        indexed=document["indexed"],
    )
