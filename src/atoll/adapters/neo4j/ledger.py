"""Leases on Neo4j."""

from __future__ import annotations

import json
from dataclasses import asdict

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import CHANGE, CLOSE, Event, audit, closing, held, renew_journey
from atoll.domain.artefact import keys_from
from atoll.domain.document import JOURNEY, DocumentError, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.knowledge_base import entity_types
from atoll.domain.principal import Actor
from atoll.ports.ledger import Claim, DocumentFacts

_DOCUMENT = "WITH * MATCH (d:Document {uid: $document, kb: $kb}) "

# The first unfinished stage of a document that has work left (see rung_at in the migration). It is found, locked, and
# then matched anew under another name, because what was read of it before the lock may have changed meanwhile.
# From the first point on, searches must fetch room for the hidden document.
_CLAIM = """
MATCH (first:Stage {document: $document}) WHERE first.state <> 'done'
WITH first ORDER BY first.position LIMIT 1 SET first.locked = true
WITH first.name AS name
MATCH (s:Stage {document: $document, name: name})
MATCH (d:Document {uid: $document}) MATCH (k:Kb {uid: d.kb})
WHERE s.state IN ['waiting', 'running'] AND s.lease_until <= timestamp() AND s.not_before <= timestamp()
  AND d.rung_at IS NOT NULL
  AND NOT EXISTS { MATCH (e:Stage {document: $document}) WHERE e.position < s.position AND e.state <> 'done' }
SET s.owner = $owner, s.token = s.token + 1, s.state = 'running', s.attempts = s.attempts + 1,
    s.lease_until = timestamp() + $lease, s.claimed_at = timestamp()
WITH s, d, k
CALL (s, d) {
  WITH s, d WHERE s.name <> 'purge'
  SET d.status = 'processing', d.indexed = d.indexed OR s.name = 'index',
      d.hidden = CASE WHEN d.indexed OR s.name = 'index' THEN true ELSE null END,
      d.artefacts_json = CASE WHEN s.name = 'parse' AND coalesce(d.artefacts_json, '{}') = '{}' THEN $artefacts
                              ELSE d.artefacts_json END
  WITH d MATCH (c:Changes {kb: d.kb}) SET c.locked = true
  WITH d, c SET c.value = c.value + 1 SET d.changed_seq = c.value
}
RETURN s {.name, .batch, .token, .failures, .attempts} AS stage,
       d {.kb, .name, .media_type, .labels, .artefacts_json, .returns} AS document,
       k.language AS language, k.settings_json AS settings
"""

_OVERDUE = """
MATCH (d:Document) WHERE d.rung_at <= timestamp() - $quiet
WITH d ORDER BY d.rung_at
WHERE EXISTS {
  MATCH (s:Stage {document: d.uid}) WHERE s.state IN ['waiting', 'running']
    AND s.lease_until <= timestamp() AND s.not_before <= timestamp()
    AND NOT EXISTS { MATCH (e:Stage {document: d.uid}) WHERE e.position < s.position AND e.state <> 'done' }
}
RETURN d.uid AS uid LIMIT $limit
"""

_SEND_BACK = """
MATCH (s:Stage {document: $document, kb: $kb}) WHERE s.position >= $position
SET s.state = $waiting, s.batch = 0, s.done = 0, s.error = null
WITH count(s) AS stages MATCH (d:Document {uid: $document, kb: $kb})
SET d.artefacts_json = $artefacts, d.returns = coalesce(d.returns, 0) + 1
"""

_LEAD = """
MERGE (l:Lease {name: 'reconciler'}) ON CREATE SET l.owner = $owner, l.lease_until = 0 SET l.locked = true
WITH l WHERE l.owner = $owner OR l.lease_until <= timestamp()
SET l.owner = $owner, l.lease_until = timestamp() + $lease RETURN 1
"""


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
            await held(transaction, claim, "SET s.lease_until = timestamp() + $lease RETURN 1", lease=lease)

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
        warnings = None if facts.warnings is None else json.dumps([asdict(each) for each in facts.warnings])
        artefacts = claim.artefacts
        if key is not None:
            artefacts = {**artefacts, JOURNEY[JOURNEY.index(claim.stage) + 1]: key}

        async def work(transaction: Transaction) -> Claim | None:
            await held(
                transaction,
                claim,
                f"{CLOSE}{_DOCUMENT}SET d.pages = coalesce($pages, d.pages), "
                "d.passages = coalesce($passages, d.passages), d.warnings_json = coalesce($warnings, d.warnings_json), "
                "d.artefacts_json = $artefacts RETURN 1",
                **closing(StageState.DONE, units=units),
                pages=facts.pages,
                passages=facts.passages,
                warnings=warnings,
                artefacts=json.dumps(dict(artefacts)),
            )
            return await _claim(transaction, claim.document, claim.owner, lease_seconds)

        return await self._database.write(work)

    async def send_back(self, claim: Claim, lease_seconds: float, *, stage: Stage, key: str) -> Claim | None:
        """Begin at an earlier stage again."""

        async def work(transaction: Transaction) -> Claim | None:
            await held(transaction, claim, f"{CLOSE}RETURN 1", **closing(StageState.WAITING))
            await renew_journey(transaction, claim.kb, claim.document)
            await transaction.all(
                _SEND_BACK,
                document=claim.document,
                kb=claim.kb,
                position=JOURNEY.index(stage),
                waiting=StageState.WAITING,
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
                f"{CLOSE}SET s.not_before = timestamp() + $delay, s.failures = s.failures + $failed "
                f"{_DOCUMENT}{CHANGE}RETURN 1",
                **closing(StageState.WAITING, error=error),
                delay=int(delay_seconds * 1000),
                failed=int(failed),
            )

        await self._database.write(work)

    async def fail(self, claim: Claim, error: DocumentError, *, quarantine: bool = False) -> None:
        """End the journey with an error."""
        status = Status.QUARANTINED if quarantine else Status.FAILED

        async def work(transaction: Transaction) -> None:
            ended = await held(
                transaction,
                claim,
                f"{CLOSE}{_DOCUMENT}SET d.error_json = $document_error, d.status = $status, d.rung_at = null "
                f"{CHANGE}WITH * MATCH (k:Kb {{uid: $kb}}) RETURN k.tenant AS tenant",
                **closing(StageState.FAILED, error=error.message),
                document_error=json.dumps(asdict(error)),
                status=status,
            )
            actor = Actor(subject=f"worker {claim.owner}", request_id="-")
            event = Event(actor, f"document.{status}", f"document {claim.document}", result=error.type)
            await audit(transaction, ended["tenant"], event)

        await self._database.write(work)

    async def exists(self, document: DocumentUid) -> bool:
        """Return whether the document is there and not deleted."""

        async def work(transaction: Transaction) -> bool:
            found = await transaction.one(
                "MATCH (d:Document {uid: $document}) WHERE d.deleted_at IS NULL RETURN 1", document=document
            )
            return found is not None

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
            # One that was finished meanwhile has no work left and stays so.
            await transaction.all(
                "UNWIND $documents AS uid MATCH (d:Document {uid: uid}) SET d.locked = true "
                "WITH d.uid AS uid MATCH (o:Document {uid: uid}) WHERE o.rung_at IS NOT NULL "
                "SET o.rung_at = timestamp()",
                documents=sorted(found),
            )

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
    )


async def advance(transaction: Transaction, claim: Claim, *, batch: int, done: int, total: int) -> None:
    """Note progress, for transactions that hold the stage and write contents in the same breath."""
    await transaction.all(
        "MATCH (s:Stage {document: $document, name: $stage, kb: $kb}) "
        "SET s.batch = $batch, s.done = $done, s.total = $total, s.error = null "
        f"{_DOCUMENT}{CHANGE}",
        document=claim.document,
        stage=claim.stage,
        kb=claim.kb,
        batch=batch,
        done=done,
        total=total,
    )
