"""Reading a document again on SQLite: a hidden row of its own, which takes the place of the old one when published.

Every function here runs inside a write transaction of its caller.
"""

from __future__ import annotations

import json
import sqlite3

from atoll.adapters.sqlite.amending import queue_relabel
from atoll.adapters.sqlite.database import NOW
from atoll.adapters.sqlite.transitions import change, find_row, withdraw
from atoll.domain.artefact import keys_before
from atoll.domain.document import JOURNEY, Stage, StageState, Status
from atoll.domain.ids import DocumentUid, reading_uid
from atoll.records.lifecycle import check_reprocess
from atoll.records.rows.documents import artefacts, restated, told_metadata

#: What a document has whichever way it is read, as it stands when a new reading is published.
_KEPT = "name, source, version, placed, labels, metadata, replaces, created_by, created_at"
#: What a new reading begins with.
_COPIED = f"kb, {_KEPT}, sha256, media_type, bytes, pages, passages, warnings, read"


def begin(connection: sqlite3.Connection, document: sqlite3.Row, stage: Stage) -> None:
    """Let a document be read again from a stage on, beside the reading that readers see.

    Raises:
        Conflict: it is in a state in which that cannot be.
        BadInput: nothing is read again from that stage on.
    """
    other = other_of(connection, document)
    check_reprocess(Status(document["status"]), None if other is None else Status(other["status"]), stage)
    if other is not None:
        withdraw(connection, other)
    uid, new = document["uid"], reading_uid(document["uid"])
    connection.execute(
        f"INSERT INTO document (uid, {_COPIED}, status, deleted_at, other_reading, artefacts, changed_seq) "
        f"SELECT ?, {_COPIED}, ?, 0, uid, ?, ? FROM document WHERE uid = ?",
        (
            new,
            Status.QUEUED,
            json.dumps(keys_before(artefacts(document["artefacts_json"]), stage)),
            change(connection),
            uid,
        ),
    )
    connection.executemany(
        f"INSERT INTO stage (document, name, position, state, rung_at) VALUES (?, ?, ?, ?, {NOW})",
        [
            (new, each, position, StageState.DONE if position < JOURNEY.index(stage) else StageState.WAITING)
            for position, each in enumerate(JOURNEY)
        ],
    )
    # What is not done again counts what was done: the outputs are those of the old reading.
    connection.execute(
        "UPDATE stage SET (done, total) = (SELECT o.done, o.total FROM stage o WHERE o.document = ?1 AND "
        "o.name = stage.name) WHERE document = ?2 AND state = ?3 AND "
        "EXISTS (SELECT 1 FROM stage o WHERE o.document = ?1 AND o.name = stage.name)",
        (uid, new, StageState.DONE),
    )
    connection.execute(
        "UPDATE document SET other_reading = ?, error = NULL, changed_seq = ? WHERE uid = ?",
        (new, change(connection), uid),
    )


def other_of(connection: sqlite3.Connection, document: sqlite3.Row) -> sqlite3.Row | None:
    """Return the row of the reading that is being made of a document, if there is one."""
    return find_row(connection, document["other_reading"]) if document["other_reading"] else None


def discard(connection: sqlite3.Connection, document: sqlite3.Row, other: sqlite3.Row) -> None:
    """Give up the new reading of a document."""
    withdraw(connection, other)
    connection.execute(
        "UPDATE document SET other_reading = NULL, error = NULL, changed_seq = ? WHERE uid = ?",
        (change(connection), document["uid"]),
    )


def note_failure(connection: sqlite3.Connection, reading: DocumentUid) -> None:
    """Show the error of a new reading at its document; nothing happens for a document's only reading."""
    connection.execute(
        "UPDATE document SET error = (SELECT n.error FROM document n WHERE n.uid = ?1), changed_seq = ?2 "
        "WHERE uid = (SELECT n.other_reading FROM document n WHERE n.uid = ?1 AND n.deleted_at = 0)",
        (reading, change(connection)),
    )


def take_place(connection: sqlite3.Connection, new: sqlite3.Row, old: sqlite3.Row) -> None:
    """Let a new reading be the document: with its place in lists, its uploads, and what people set meanwhile."""
    withdraw(connection, old)
    connection.execute(
        f"UPDATE document SET ({_KEPT}) = (SELECT {_KEPT} FROM document o WHERE o.uid = ?), deleted_at = NULL, "
        "other_reading = NULL WHERE uid = ?",
        (old["uid"], new["uid"]),
    )
    connection.execute(
        "UPDATE document SET metadata = ? WHERE uid = ?",
        (json.dumps(restated(old, told_metadata(new))), new["uid"]),
    )
    if new["indexed"] and new["labels"] != old["labels"]:
        queue_relabel(connection, new["uid"])
    connection.execute("UPDATE batch SET document = ? WHERE document = ?", (new["uid"], old["uid"]))
    for reading, seq in ((old["uid"], -old["seq"]), (new["uid"], old["seq"]), (old["uid"], new["seq"])):
        connection.execute("UPDATE document SET seq = ? WHERE uid = ?", (seq, reading))
