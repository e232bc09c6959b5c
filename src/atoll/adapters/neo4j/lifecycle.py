"""Deleting, amending, retrying and cancelling documents on Neo4j."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.accepting import queue_again
from atoll.adapters.neo4j.amending import amend
from atoll.adapters.neo4j.catalogue import find_document, find_kb_tenant, read_document
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.rereading import begin, discard, note_failure, status_of_other
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, fence, hide, lock_kb, reading, set_status
from atoll.domain.document import Amendment, Document, Receipt, Stage, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records import events
from atoll.records.lifecycle import check_cancel, check_retry
from atoll.records.receipts import Counted, receipt

_COUNT, _COUNT_IN_SIGHT, _STOP_STAGES, _LOCK_STAGES = load(
    "lifecycle", "count", "count_in_sight", "stop_stages", "lock_stages"
)


class Neo4jLifecycle:
    """Port ``Lifecycle``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document and queue its purge."""

        async def look(transaction: Transaction) -> Receipt:
            counted = await _count(transaction, reader, await find_document(transaction, reader, document))
            return receipt(counted, dry_run=True)

        async def work(transaction: Transaction) -> Receipt:
            # In the order of publish: stages, then the knowledge base.
            await transaction.all(_LOCK_STAGES, kb=reader.kb, document=document)
            owner = await lock_kb(transaction, reader.kb)
            found = await find_document(transaction, reader, document)
            assert owner is not None, "a document that is there has its knowledge base"
            uid = DocumentUid(found["uid"])
            await fence(transaction, reader.kb, uid)
            counted = await _count(transaction, reader, found)
            revision = await hide(transaction, reader.kb, [uid], visible=found["visible"])
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
            found, other = await self._locked(transaction, reader, document)
            check_retry(other or Status(found["status"]))
            uid = DocumentUid(found["other_reading"] or found["uid"])
            await queue_again(transaction, reader.kb, uid)
            await note_failure(transaction, reader.kb, uid)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, events.document_retried(actor, document))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a document."""

        async def work(transaction: Transaction) -> Document:
            found, other = await self._locked(transaction, reader, document)
            if other is not None:
                await discard(transaction, reader.kb, found)
            else:
                check_cancel(Status(found["status"]))
                uid = DocumentUid(found["uid"])
                await fence(transaction, reader.kb, uid)
                await transaction.all(_STOP_STAGES, kb=reader.kb, document=uid)
                await set_status(transaction, reader.kb, uid, Status.CANCELLED)
            tenant = await find_kb_tenant(transaction, reader.kb)
            await audit(transaction, tenant, events.document_cancelled(actor, document))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def reprocess(self, reader: Reader, document: DocumentUid, stage: Stage, actor: Actor) -> Document:
        """Let a document be read again."""

        async def work(transaction: Transaction) -> Document:
            await transaction.all(_LOCK_STAGES, kb=reader.kb, document=document)
            owner = await lock_kb(transaction, reader.kb)
            found = await find_document(transaction, reader, document)
            assert owner is not None, "a document that is there has its knowledge base"
            await begin(transaction, reader.kb, found, stage)
            await audit(transaction, owner["tenant"], events.document_reprocessed(actor, document, stage))
            return await read_document(transaction, reader, document)

        return await self._database.write(work)

    async def _locked(
        self, transaction: Transaction, reader: Reader, document: DocumentUid
    ) -> tuple[Mapping[str, Any], Status | None]:
        """Lock a document's stages; return what is kept of it, and where a new reading of it stands."""
        await transaction.all(_LOCK_STAGES, kb=reader.kb, document=document)
        found = await find_document(transaction, reader, document)
        return found, await status_of_other(transaction, reader.kb, found)


async def _count(transaction: Transaction, reader: Reader, document: Mapping[str, Any]) -> Counted:
    statement = _COUNT_IN_SIGHT if reader.is_restricted else _COUNT
    counted = await transaction.one(statement, **reading(reader), document=document["uid"])
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
