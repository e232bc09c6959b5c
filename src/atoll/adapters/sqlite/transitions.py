"""What several transactions do alike: the clock, change numbers, audit events, fencing, hiding a document.

Every function here runs inside a write transaction of its caller.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import NOW
from atoll.domain.document import DEPARTURE_MILLISECONDS, JOURNEY, PURGE_POSITION, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, document_id
from atoll.domain.principal import Event
from atoll.errors import LeaseLost
from atoll.ports.ledger import Claim
from atoll.records.rows.documents import restated


def now(connection: sqlite3.Connection) -> int:
    """Return the store's clock in milliseconds."""
    return int(connection.execute(f"SELECT {NOW}").fetchone()[0])


def change(connection: sqlite3.Connection) -> int:
    """Return the next change number."""
    row = connection.execute("UPDATE counter SET value = value + 1 WHERE name = 'changed' RETURNING value").fetchone()
    return int(row[0])


def next_turn(connection: sqlite3.Connection) -> int:
    """Return the next turn at a place, from the sequence that numbers documents as they are accepted."""
    row = connection.execute(
        "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'document' RETURNING seq"
    ).fetchone()
    return int(row[0])


def audit(connection: sqlite3.Connection, tenant: str, event: Event) -> None:
    """Write an audit event in the transaction of what it tells of."""
    connection.execute(
        "INSERT INTO audit_event (tenant, at, actor, action, object, result, request_id, revision) "
        f"VALUES (?, {NOW}, ?, ?, ?, ?, ?, ?)",
        (
            tenant, event.actor.subject, event.action, event.subject, event.result, event.actor.request_id,
            event.revision,
        ),
    )  # fmt: skip


def check(connection: sqlite3.Connection, claim: Claim) -> None:
    """Raise LeaseLost unless the claim's token still holds."""
    row = connection.execute(
        "SELECT token FROM stage WHERE document = ? AND name = ?", (claim.document, claim.stage)
    ).fetchone()
    if row is None or row["token"] != claim.token:
        raise LeaseLost(f"{claim.stage} of {claim.document} was taken over or ended; nothing was written")


def renew_journey(connection: sqlite3.Connection, document: str) -> None:
    """Give a document the stages of this version's journey, in their places; one of an earlier version lacks some."""
    connection.executemany(
        "INSERT INTO stage (document, name, position, state) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (document, name) DO UPDATE SET position = excluded.position",
        [(document, stage, position, StageState.WAITING) for position, stage in enumerate(JOURNEY)],
    )


def fence(connection: sqlite3.Connection, document: str) -> None:
    """Make every claim on the document's stages void; what they hold may still act until ``lease_until``."""
    connection.execute("UPDATE stage SET token = token + 1, owner = NULL WHERE document = ?", (document,))


def find_row(connection: sqlite3.Connection, document: str) -> sqlite3.Row:
    """Return the row of a document that is there."""
    row: sqlite3.Row = connection.execute(
        f"SELECT {columns.DOCUMENT} FROM document d WHERE d.uid = ?", (document,)
    ).fetchone()
    return row


def restate(connection: sqlite3.Connection, document: str, told: Mapping[str, Any]) -> None:
    """Let a document's metadata follow what its file says of itself."""
    metadata = restated(find_row(connection, document), told)
    connection.execute("UPDATE document SET metadata = ? WHERE uid = ?", (json.dumps(metadata), document))


def hide(connection: sqlite3.Connection, document: sqlite3.Row) -> int:
    """Take a document out of everyone's sight and queue its purge; return the knowledge base's new revision.

    A new reading of it that is not published goes, too.
    """
    kb = document["kb"]
    if document["other_reading"]:
        withdraw(connection, find_row(connection, document["other_reading"]))
    withdraw(connection, document)
    note_departure(connection, kb, document_id(document["uid"]), document["labels"])
    row = connection.execute("UPDATE kb SET revision = revision + 1 WHERE uid = ? RETURNING revision", (kb,)).fetchone()
    return int(row["revision"])


def withdraw(connection: sqlite3.Connection, document: sqlite3.Row) -> None:
    """Take one reading of a document out of sight and queue its purge.

    Counters go off in key order, as publish raises them.
    """
    uid = document["uid"]
    fence(connection, uid)
    if document["visible"]:
        count_entities(connection, uid, -1)
        connection.execute(
            "UPDATE kb SET passages = passages - ? WHERE uid = ?", (document["passages"], document["kb"])
        )
    connection.execute(
        f"UPDATE document SET visible = 0, deleted_at = {NOW}, other_reading = NULL, changed_seq = ? WHERE uid = ?",
        (change(connection), uid),
    )
    connection.execute("UPDATE stage SET state = ? WHERE document = ?", (StageState.DONE, uid))
    connection.execute(
        "INSERT INTO stage (document, name, position, state) VALUES (?, ?, ?, ?)",
        (uid, Stage.PURGE, PURGE_POSITION, StageState.WAITING),
    )


def note_departure(connection: sqlite3.Connection, kb: str, document: str, labels: str) -> None:
    """Note for watchers that a document left the sight of those who hold ``labels`` (as JSON); old notes go.

    Whatever hides, deletes or relabels a document calls this with the labels of before. A watcher who sees the
    document all the same is told of its change alone.
    """
    connection.execute(f"DELETE FROM departure WHERE kb = ? AND at < {NOW} - ?", (kb, DEPARTURE_MILLISECONDS))
    connection.execute(
        f"INSERT INTO departure (kb, changed_seq, document, labels, at) VALUES (?, ?, ?, ?, {NOW})",
        (kb, change(connection), document, labels),
    )


def count_entities(connection: sqlite3.Connection, document: DocumentUid, sign: int) -> int:
    """Add the document's mentions to (or take them off) the entities' counters; return how many entities.

    An entity that fewer than two visible passages mention keeps no vector: nothing would tell it from one that
    never had it.
    """
    return connection.execute(
        "UPDATE entity SET df = df + ?1 * counted.n, vector = IIF(df + ?1 * counted.n > 1, vector, NULL) FROM "
        "(SELECT entity AS id, COUNT(*) AS n FROM mention WHERE document = ?2 GROUP BY entity ORDER BY entity) counted "
        "WHERE entity.id = counted.id",
        (sign, document),
    ).rowcount


def set_status(connection: sqlite3.Connection, document: str, status: Status) -> None:
    """Set a document's status and note the change."""
    connection.execute(
        "UPDATE document SET status = ?, changed_seq = ? WHERE uid = ?", (status, change(connection), document)
    )


def remove_empty_kb(connection: sqlite3.Connection, kb: str) -> None:
    """Remove a deleted knowledge base once its last document is gone."""
    removed = connection.execute(
        "DELETE FROM kb WHERE uid = ? AND deleted_at IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM document d WHERE d.kb = kb.uid)",
        (kb,),
    )
    if removed.rowcount:
        connection.execute("DELETE FROM departure WHERE kb = ?", (kb,))
