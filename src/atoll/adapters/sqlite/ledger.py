"""Leases on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.ending import end_what_broke_off
from atoll.adapters.sqlite.rereading import note_failure
from atoll.adapters.sqlite.transitions import audit, change, check, renew_journey, restate, set_status
from atoll.domain.artefact import keys_from
from atoll.domain.document import JOURNEY, DocumentError, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.knowledge_base import entity_types
from atoll.ports.ledger import Claim, DocumentFacts
from atoll.records import events
from atoll.records.rows import documents as rows
from atoll.records.rows.values import texts

# What work there may be at stage {s} of document d: the stages of a journey while it is on its way, purge once it is
# deleted, relabel once it is ready.
_OPEN = "(d.deleted_at > 0 OR d.status IN ('queued', 'processing') OR (d.status = 'ready' AND {s}.name = 'relabel'))"

_CLAIM = f"""
UPDATE stage SET owner = :owner, token = token + 1, state = 'running', attempts = attempts + 1,
    lease_until = {NOW} + :lease, claimed_at = {NOW}
WHERE document = :document
  AND position = (SELECT MIN(position) FROM stage WHERE document = :document AND state != 'done')
  AND state IN ('waiting', 'running') AND lease_until <= {NOW} AND not_before <= {NOW}
  AND EXISTS (SELECT 1 FROM document d WHERE d.uid = :document AND {_OPEN.format(s="stage")})
RETURNING name, batch, token, failures, attempts
"""

_OVERDUE = f"""
SELECT DISTINCT s.document FROM stage s JOIN document d ON d.uid = s.document
WHERE s.state IN ('waiting', 'running') AND s.lease_until <= {NOW} AND s.not_before <= {NOW}
  AND s.rung_at <= {NOW} - :quiet AND {_OPEN.format(s="s")}
  AND s.position = (SELECT MIN(position) FROM stage f WHERE f.document = s.document AND f.state != 'done')
ORDER BY s.rung_at LIMIT :limit
"""


class SqliteLedger:
    """Ports ``Ledger`` and ``Reconciliation``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(
        self, document: DocumentUid, owner: str, lease_seconds: float, *, key: str | None = None
    ) -> Claim | None:
        """Take the document's first unfinished stage."""
        return await self._database.write(lambda connection: _claim(connection, document, owner, lease_seconds, key))

    async def beat(self, claim: Claim, lease_seconds: float) -> None:
        """Renew the lease."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            connection.execute(
                f"UPDATE stage SET lease_until = {NOW} + ? WHERE document = ? AND name = ?",
                (int(lease_seconds * 1000), claim.document, claim.stage),
            )

        await self._database.write(work)

    async def advance(self, claim: Claim, *, batch: int, done: int, total: int) -> None:
        """Record progress inside the stage."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            advance(connection, claim, batch=batch, done=done, total=total)

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

        def work(connection: sqlite3.Connection) -> Claim | None:
            check(connection, claim)
            close_stage(connection, claim, StageState.DONE, units=units)
            if facts is not None:
                warnings = None if facts.warnings is None else rows.warnings_json(facts.warnings)
                read = None if facts.how is None else rows.read_json(facts.how, claim.language)
                if facts.how is not None:
                    restate(connection, claim.document, facts.how.metadata)
                connection.execute(
                    "UPDATE document SET pages = COALESCE(?, pages), passages = COALESCE(?, passages), "
                    "warnings = COALESCE(?, warnings), read = COALESCE(?, read) WHERE uid = ?",
                    (facts.pages, facts.passages, warnings, read, claim.document),
                )
            if key is not None:
                following = JOURNEY[JOURNEY.index(claim.stage) + 1]
                _note_keys(connection, claim.document, {**claim.artefacts, following: key})
            return _claim(connection, claim.document, claim.owner, lease_seconds)

        return await self._database.write(work)

    async def send_back(self, claim: Claim, lease_seconds: float, *, stage: Stage, key: str) -> Claim | None:
        """Begin at an earlier stage again."""

        def work(connection: sqlite3.Connection) -> Claim | None:
            check(connection, claim)
            close_stage(connection, claim, StageState.WAITING)
            renew_journey(connection, claim.document)
            connection.execute(
                "UPDATE stage SET state = ?, batch = 0, done = 0, error = NULL WHERE document = ? AND position >= ?",
                (StageState.WAITING, claim.document, JOURNEY.index(stage)),
            )
            _note_keys(connection, claim.document, keys_from(claim.artefacts, stage, key))
            connection.execute("UPDATE document SET returns = returns + 1 WHERE uid = ?", (claim.document,))
            return _claim(connection, claim.document, claim.owner, lease_seconds)

        return await self._database.write(work)

    async def release(
        self, claim: Claim, *, delay_seconds: float = 0.0, error: str | None = None, failed: bool = False
    ) -> None:
        """Give the stage back."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            close_stage(connection, claim, StageState.WAITING, error=error)
            connection.execute(
                f"UPDATE stage SET not_before = {NOW} + ?, failures = failures + ? WHERE document = ? AND name = ?",
                (int(delay_seconds * 1000), failed, claim.document, claim.stage),
            )
            connection.execute(
                "UPDATE document SET changed_seq = ? WHERE uid = ?", (change(connection), claim.document)
            )

        await self._database.write(work)

    async def relabelled(self, claim: Claim, lease_seconds: float) -> Claim | None:
        """End stage relabel, or go on with newer labels."""

        def work(connection: sqlite3.Connection) -> Claim | None:
            check(connection, claim)
            row = connection.execute("SELECT labels FROM document WHERE uid = ?", (claim.document,)).fetchone()
            if set(texts(row["labels"])) != set(claim.labels):
                close_stage(connection, claim, StageState.WAITING)
                return _claim(connection, claim.document, claim.owner, lease_seconds)
            connection.execute("DELETE FROM stage WHERE document = ? AND name = ?", (claim.document, claim.stage))
            connection.execute(
                "UPDATE document SET changed_seq = ? WHERE uid = ?", (change(connection), claim.document)
            )
            return None

        return await self._database.write(work)

    async def fail(self, claim: Claim, error: DocumentError, *, quarantine: bool = False) -> None:
        """End the journey with an error."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            close_stage(connection, claim, StageState.FAILED, error=error.message)
            connection.execute("UPDATE document SET error = ? WHERE uid = ?", (rows.error_json(error), claim.document))
            status = Status.QUARANTINED if quarantine else Status.FAILED
            set_status(connection, claim.document, status)
            note_failure(connection, claim.document)
            tenant = connection.execute("SELECT tenant FROM kb WHERE uid = ?", (claim.kb,)).fetchone()["tenant"]
            audit(connection, tenant, events.document_failed(claim.owner, claim.document, status, error.type))

        await self._database.write(work)

    async def exists(self, document: DocumentUid) -> bool:
        """Return whether the document is there and not deleted."""

        def work(connection: sqlite3.Connection) -> bool:
            row = connection.execute(
                "SELECT 1 FROM document WHERE uid = ? AND COALESCE(deleted_at, 0) = 0", (document,)
            )
            return row.fetchone() is not None

        return await self._database.read(work)

    async def lead(self, owner: str, lease_seconds: float) -> bool:
        """Take or renew the reconciler's lease."""

        def work(connection: sqlite3.Connection) -> bool:
            row = connection.execute(
                f"INSERT INTO lease (name, owner, lease_until) VALUES ('reconciler', ?, {NOW} + ?) "
                "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until "
                f"WHERE lease.owner = excluded.owner OR lease.lease_until <= {NOW} RETURNING owner",
                (owner, int(lease_seconds * 1000)),
            ).fetchone()
            return row is not None

        return await self._database.write(work)

    async def overdue(self, limit: int, *, quiet_seconds: float) -> list[DocumentUid]:
        """Return and mark documents whose work nobody was told of lately."""

        def find(connection: sqlite3.Connection) -> list[DocumentUid]:
            overdue = connection.execute(_OVERDUE, {"quiet": int(quiet_seconds * 1000), "limit": limit})
            return [DocumentUid(row["document"]) for row in overdue]

        def mark(connection: sqlite3.Connection) -> None:
            connection.executemany(
                f"UPDATE stage SET rung_at = {NOW} WHERE document = ? AND state IN ('waiting', 'running')",
                [(document,) for document in found],
            )

        await end_what_broke_off(self._database)
        # Most looks find nothing; they should not take the write lock.
        found = await self._database.read(find)
        if found:
            await self._database.write(mark)
        return found


def _claim(
    connection: sqlite3.Connection, document: DocumentUid, owner: str, lease_seconds: float, key: str | None = None
) -> Claim | None:
    row = connection.execute(
        _CLAIM, {"owner": owner, "lease": int(lease_seconds * 1000), "document": document}
    ).fetchone()
    if row is None:
        return None
    stage = Stage(row["name"])
    if stage in JOURNEY:
        # From the first point on, searches must fetch room for the hidden document.
        connection.execute(
            "UPDATE document SET status = ?, indexed = MAX(indexed, ?), changed_seq = ? WHERE uid = ?",
            (Status.PROCESSING, stage is Stage.INDEX, change(connection), document),
        )
    subject = connection.execute(
        "SELECT d.kb, d.name, d.media_type, d.labels, d.artefacts, d.returns, kb.language, kb.settings, "
        "IIF(d.deleted_at = 0, d.other_reading, NULL) AS rereads FROM document d "
        "JOIN kb ON kb.uid = d.kb WHERE d.uid = ?",
        (document,),
    ).fetchone()
    artefacts = rows.artefacts(subject["artefacts"])
    if stage is Stage.PARSE and key is not None and Stage.PARSE not in artefacts:
        artefacts = {Stage.PARSE: key}
        _note_keys(connection, document, artefacts)
    return Claim(
        document=document,
        kb=KbUid(subject["kb"]),
        stage=stage,
        batch=row["batch"],
        token=row["token"],
        owner=owner,
        attempts=row["attempts"],
        failures=row["failures"],
        name=subject["name"],
        media_type=subject["media_type"],
        labels=texts(subject["labels"]),
        language=subject["language"],
        entity_types=entity_types(json.loads(subject["settings"])),
        artefacts=artefacts,
        returns=subject["returns"],
        rereads=subject["rereads"] and DocumentUid(subject["rereads"]),
    )


def _note_keys(connection: sqlite3.Connection, document: DocumentUid, artefacts: Mapping[Stage, str]) -> None:
    connection.execute("UPDATE document SET artefacts = ? WHERE uid = ?", (json.dumps(dict(artefacts)), document))


def advance(connection: sqlite3.Connection, claim: Claim, *, batch: int, done: int, total: int) -> None:
    """Note progress, for transactions that write contents in the same breath."""
    connection.execute(
        "UPDATE stage SET batch = ?, done = ?, total = ?, error = NULL WHERE document = ? AND name = ?",
        (batch, done, total, claim.document, claim.stage),
    )
    connection.execute("UPDATE document SET changed_seq = ? WHERE uid = ?", (change(connection), claim.document))


def close_stage(
    connection: sqlite3.Connection,
    claim: Claim,
    state: StageState,
    *,
    units: int | None = None,
    error: str | None = None,
) -> None:
    """End this claim: the token moves on, so that a late write of the same worker is refused too."""
    connection.execute(
        "UPDATE stage SET state = ?, owner = NULL, token = token + 1, lease_until = 0, error = ?, "
        "done = COALESCE(?, done), total = COALESCE(?, total), "
        f"worked = worked + MAX(0, {NOW} - claimed_at) WHERE document = ? AND name = ?",
        (state, error, units, units, claim.document, claim.stage),
    )
