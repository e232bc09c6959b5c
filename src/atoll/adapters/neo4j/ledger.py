"""Leases on Neo4j."""

from __future__ import annotations

import json

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.ending import end_what_broke_off
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.rereading import note_failure
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, claimed, closing, held, renew_journey
from atoll.domain.artefact import keys_from
from atoll.domain.document import JOURNEY, DocumentError, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.knowledge_base import entity_types
from atoll.ports.ledger import Claim, DocumentFacts
from atoll.records import events
from atoll.records.rows import documents as rows

_CLAIM, _BEAT, _ADVANCE, _FINISH, _CLOSE, _SEND_BACK, _RELEASE, _FAIL = load(
    "ledger", "claim", "beat", "advance", "finish", "close", "send_back", "release", "fail"
)
_HAS_NEW_LABELS, _END_RELABEL = load("amending", "has_new_labels", "end_relabel")
_EXISTS, _LEAD, _OVERDUE, _MARK_RUNG, _TOLD = load("ledger", "exists", "lead", "overdue", "mark_rung", "told")


class Neo4jLedger:
    """Ports ``Ledger`` and ``Reconciliation``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, document: DocumentUid, owner: str, lease_seconds: float, *, key: str | None = None
    ) -> Claim | None:
        """Take the document's first unfinished stage."""

        async def work(transaction: Transaction) -> Claim | None:
            return await _claim(transaction, document, owner, lease_seconds, key)

        return await self._database.write(work)

    async def beat(self, claim: Claim, lease_seconds: float) -> None:
        """Renew the lease."""

        async def work(transaction: Transaction) -> None:
            lease = int(lease_seconds * 1000)
            await held(transaction, claim, _BEAT, lease=lease)

        await self._database.write(work)

    async def advance(self, claim: Claim, *, batch: int, done: int, total: int) -> None:
        """Record progress inside the stage."""

        async def work(transaction: Transaction) -> None:
            await held(transaction, claim)
            await advance(transaction, claim, batch=batch, done=done, total=total)

        await self._database.write(work)

    async def finish(
        self,
        claim: Claim,
        lease_seconds: float,
        *,
        units: int,
        facts: DocumentFacts | None = None,
        key: str | None = None,
    ) -> Claim | None:
        """Mark the stage done and take the next one."""
        facts = facts or DocumentFacts()
        warnings = None if facts.warnings is None else rows.warnings_json(facts.warnings)
        read = None if facts.how is None else rows.read_json(facts.how, claim.language)
        artefacts = claim.artefacts
        if key is not None:
            artefacts = {**artefacts, JOURNEY[JOURNEY.index(claim.stage) + 1]: key}

        async def work(transaction: Transaction) -> Claim | None:
            metadata = None
            if facts.how is not None:
                found = await held(transaction, claim, _TOLD)
                metadata = rows.restated(found["document"], facts.how.metadata)
            await held(
                transaction,
                claim,
                _FINISH,
                metadata=None if metadata is None else json.dumps(metadata),
                facts=None if metadata is None else facts_of(metadata),
                **closing(StageState.DONE, units=units),
                pages=facts.pages,
                passages=facts.passages,
                warnings=warnings,
                read=read,
                artefacts=json.dumps(dict(artefacts)),
            )
            return await _claim(transaction, claim.document, claim.owner, lease_seconds)

        return await self._database.write(work)

    async def send_back(self, claim: Claim, lease_seconds: float, *, stage: Stage, key: str) -> Claim | None:
        """Begin at an earlier stage again."""

        async def work(transaction: Transaction) -> Claim | None:
            await held(transaction, claim, _CLOSE, **closing(StageState.WAITING))
            await renew_journey(transaction, claim.kb, claim.document)
            await transaction.all(
                _SEND_BACK,
                document=claim.document,
                kb=claim.kb,
                position=JOURNEY.index(stage),
                artefacts=json.dumps(keys_from(claim.artefacts, stage, key)),
            )
            return await _claim(transaction, claim.document, claim.owner, lease_seconds)

        return await self._database.write(work)

    async def release(
        self, claim: Claim, *, delay_seconds: float = 0.0, error: str | None = None, failed: bool = False
    ) -> None:
        """Give the stage back."""

        async def work(transaction: Transaction) -> None:
            await held(
                transaction,
                claim,
                _RELEASE,
                **closing(StageState.WAITING, error=error),
                delay=int(delay_seconds * 1000),
                failed=int(failed),
            )

        await self._database.write(work)

    async def relabelled(self, claim: Claim, lease_seconds: float) -> Claim | None:
        """End stage relabel, or go on with newer labels."""

        async def work(transaction: Transaction) -> Claim | None:
            found = await held(transaction, claim, _HAS_NEW_LABELS)
            if set(found["labels"]) != set(claim.labels):
                await held(transaction, claim, _CLOSE, **closing(StageState.WAITING))
                return await _claim(transaction, claim.document, claim.owner, lease_seconds)
            await transaction.all(_END_RELABEL, **claimed(claim))
            return None

        return await self._database.write(work)

    async def fail(self, claim: Claim, error: DocumentError, *, quarantine: bool = False) -> None:
        """End the journey with an error."""
        status = Status.QUARANTINED if quarantine else Status.FAILED

        async def work(transaction: Transaction) -> None:
            ended = await held(
                transaction,
                claim,
                _FAIL,
                **closing(StageState.FAILED, error=error.message),
                document_error=rows.error_json(error),
                status=status,
            )
            await note_failure(transaction, claim.kb, claim.document)
            event = events.document_failed(claim.owner, claim.document, status, error.type)
            await audit(transaction, ended["tenant"], event)

        await self._database.write(work)

    async def exists(self, document: DocumentUid) -> bool:
        """Return whether the document is there and not deleted."""

        async def work(transaction: Transaction) -> bool:
            return await transaction.one(_EXISTS, document=document) is not None

        return await self._database.read(work)

    async def lead(self, owner: str, lease_seconds: float) -> bool:
        """Take or renew the reconciler's lease."""

        async def work(transaction: Transaction) -> bool:
            return await transaction.one(_LEAD, owner=owner, lease=int(lease_seconds * 1000)) is not None

        return await self._database.write(work)

    async def overdue(self, limit: int, *, quiet_seconds: float) -> list[DocumentUid]:
        """Return and mark documents whose work nobody was told of lately."""

        async def find(transaction: Transaction) -> list[DocumentUid]:
            records = await transaction.all(_OVERDUE, quiet=int(quiet_seconds * 1000), limit=limit)
            return [DocumentUid(record["uid"]) for record in records]

        async def mark(transaction: Transaction) -> None:
            await transaction.all(_MARK_RUNG, documents=sorted(found))

        await end_what_broke_off(self._database)
        found = await self._database.read(find)
        if found:
            await self._database.write(mark)
        return found


async def _claim(
    transaction: Transaction, document: DocumentUid, owner: str, lease_seconds: float, key: str | None = None
) -> Claim | None:
    first = None if key is None else json.dumps({Stage.PARSE: key})
    record = await transaction.one(
        _CLAIM, document=document, owner=owner, lease=int(lease_seconds * 1000), artefacts=first
    )
    if record is None:
        return None
    stage, subject = record["stage"], record["document"]
    return Claim(
        document=document,
        kb=KbUid(subject["kb"]),
        stage=Stage(stage["name"]),
        batch=stage["batch"],
        token=stage["token"],
        owner=owner,
        attempts=stage["attempts"],
        failures=stage["failures"],
        name=subject["name"],
        media_type=subject["media_type"],
        labels=tuple(subject["labels"]),
        language=record["language"],
        entity_types=entity_types(json.loads(record["settings"])),
        artefacts=rows.artefacts(subject["artefacts_json"]),
        returns=subject["returns"] or 0,
        rereads=subject["rereads"] and DocumentUid(subject["rereads"]),
    )


async def advance(transaction: Transaction, claim: Claim, *, batch: int, done: int, total: int) -> None:
    """Note progress, for transactions that hold the stage and write contents in the same breath."""
    await transaction.all(_ADVANCE, **claimed(claim), batch=batch, done=done, total=total)
