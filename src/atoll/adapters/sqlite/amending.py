"""Amending documents on SQLite: facts for the rules of ``atoll.records.amending``, and what these decide."""

from __future__ import annotations

import json
import sqlite3

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import NOW
from atoll.adapters.sqlite.transitions import audit, change, note_departure
from atoll.domain.document import RELABEL_POSITION, Amendment, Stage, StageState
from atoll.domain.ids import DocumentUid, document_id
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records.amending import Standing, check_amendment, differing, events_of, hides
from atoll.records.rows.documents import standing


def amend(
    connection: sqlite3.Connection,
    reader: Reader,
    document: sqlite3.Row,
    amendment: Amendment,
    *,
    tenant: str,
    actor: Actor,
) -> None:
    """Write what of an amendment is not so already. Raises Forbidden, Conflict."""
    before = standing(document)
    amendment = differing(before, amendment)
    if not amendment.changed:
        return
    after = before.after(amendment)
    moved = after.place != before.place
    check_amendment(reader, amendment, _twins(connection, reader, after) if moved else ())
    if hides(before, amendment):
        note_departure(connection, reader.kb, document_id(before.uid), document["labels"], change(connection))
    if amendment.labels is not None and document["indexed"]:
        queue_relabel(connection, before.uid)
    connection.execute(
        "UPDATE document SET labels = ?, metadata = ?, name = ?, source = ?, version = ?, changed_seq = ? "
        "WHERE uid = ?",
        (
            json.dumps(sorted(after.labels)),
            json.dumps(dict(after.metadata)),
            after.name,
            after.source,
            next_version(connection, reader.kb, after.source, after.name) if moved else document["version"],
            change(connection),
            before.uid,
        ),
    )
    row = connection.execute(
        "UPDATE kb SET revision = revision + ? WHERE uid = ? RETURNING revision",
        (bool(document["visible"]), reader.kb),
    ).fetchone()
    for event in events_of(actor, before, amendment, row["revision"]):
        audit(connection, tenant, event)


def next_version(connection: sqlite3.Connection, kb: str, source: str | None, name: str) -> int:
    """Return the version that the next document at a place has."""
    row = connection.execute(
        "SELECT COALESCE(MAX(version), 0) + 1 AS next FROM document WHERE kb = ? AND name = ? AND source IS ?",
        (kb, name, source),
    ).fetchone()
    return int(row["next"])


def _twins(connection: sqlite3.Connection, reader: Reader, after: Standing) -> list[DocumentUid]:
    """Return the other documents of the same bytes at a place that the reader sees."""
    seen, values = columns.seen_by(reader)
    found = connection.execute(
        "SELECT d.uid FROM document d WHERE d.kb = ? AND d.sha256 = ? AND d.name = ? AND d.source IS ? AND d.uid != ? "
        f"AND d.deleted_at IS NULL AND {seen} ORDER BY d.seq",
        (reader.kb, after.sha256, after.name, after.source, after.uid, *values),
    )
    return [DocumentUid(row["uid"]) for row in found]


def queue_relabel(connection: sqlite3.Connection, document: str) -> None:
    """Let the vector index follow; a worker that is at it takes the new labels when it ends.

    Its row is gone once it is done: the token begins with the clock, so that no later claim has that of an earlier.
    """
    connection.execute(
        f"INSERT INTO stage (document, name, position, state, token) VALUES (?, ?, ?, ?, {NOW}) "
        "ON CONFLICT (document, name) DO UPDATE SET not_before = 0, rung_at = 0",
        (document, Stage.RELABEL, RELABEL_POSITION, StageState.WAITING),
    )
