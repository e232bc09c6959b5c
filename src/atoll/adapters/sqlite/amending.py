"""Amending documents on SQLite: facts for the rules of ``atoll.records.amending``, and what these decide."""

from __future__ import annotations

import json
import sqlite3

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.transitions import audit, change, next_turn, note_departure
from atoll.adapters.sqlite.versions import highest_version
from atoll.domain.document import RELABEL_POSITION, Amendment, Stage, StageState
from atoll.domain.ids import DocumentUid, document_id, new_token
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records.amending import Standing, check_amendment, differing, events_of, hides, renumbers
from atoll.records.rows.documents import standing
from atoll.records.versions import versions_of


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
        note_departure(connection, reader.kb, document_id(before.uid), document["labels"])
    version = document["version"]
    if renumbers(amendment):
        (version,) = versions_of([after], [highest_version(connection, reader, after, but=before.uid)])
    if amendment.labels is not None and document["indexed"]:
        queue_relabel(connection, before.uid)
    connection.execute(
        # What comes to another place is the latest there.
        "UPDATE document SET placed = COALESCE(?, placed), labels = ?, metadata = ?, name = ?, source = ?, "
        "version = ?, changed_seq = ? WHERE uid = ?",
        (
            next_turn(connection) if moved else None,
            json.dumps(sorted(after.labels)),
            json.dumps(dict(after.metadata)),
            after.name,
            after.source,
            version,
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

    Its row is gone once it is done: the token begins anywhere, so that no later claim has that of an earlier.
    """
    connection.execute(
        "INSERT INTO stage (document, name, position, state, token) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (document, name) DO UPDATE SET not_before = 0, rung_at = 0",
        (document, Stage.RELABEL, RELABEL_POSITION, StageState.WAITING, new_token()),
    )
