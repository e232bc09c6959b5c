"""The documents of a deleted knowledge base, hidden some at a time: none of these transactions is long, on SQLite."""

from __future__ import annotations

import asyncio
import json
import sqlite3

from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import change, note_departure
from atoll.domain.document import PURGE_POSITION, Stage, StageState
from atoll.domain.ids import document_id

_HIDDEN_AT_ONCE = 100
#: How long the write lock is free between two of these transactions: who waits for it looks from time to time.
_PAUSE_SECONDS = 0.01
_CHOSEN = "(SELECT value FROM json_each(?))"


async def hide_documents(database: Database, kb: str) -> None:
    """Hide all documents of a deleted knowledge base and queue their purge.

    Their counters stay: nobody reads those of a deleted knowledge base, and they go with its entities.
    """
    left = True
    while left:
        left = await database.write(lambda connection: _hide_some(connection, kb))
        await asyncio.sleep(_PAUSE_SECONDS)


async def end_what_broke_off(database: Database) -> None:
    """Hide the documents of deleted knowledge bases whose deletion ended with the process that was at it."""
    for kb in await database.read(_half_deleted):
        await hide_documents(database, kb)


def _half_deleted(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT kb.uid FROM kb WHERE kb.deleted_at > 0 "
        "AND EXISTS (SELECT 1 FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL)"
    )
    return [row["uid"] for row in found]


def _hide_some(connection: sqlite3.Connection, kb: str) -> bool:
    """Hide the oldest documents; return whether there were any."""
    found = connection.execute(
        "SELECT uid, labels, other_reading FROM document WHERE kb = ? AND deleted_at IS NULL ORDER BY seq LIMIT ?",
        (kb, _HIDDEN_AT_ONCE),
    ).fetchall()
    unpublished = [row["other_reading"] for row in found if row["other_reading"]]
    chosen = [*(row["uid"] for row in found), *unpublished]
    uids = json.dumps(chosen)
    connection.execute(
        f"UPDATE stage SET token = token + 1, owner = NULL, state = ? WHERE document IN {_CHOSEN}",
        (StageState.DONE, uids),
    )
    for row in found:
        connection.execute(
            f"UPDATE document SET visible = 0, deleted_at = {NOW}, changed_seq = ? WHERE uid = ?",
            (change(connection), row["uid"]),
        )
        note_departure(connection, kb, document_id(row["uid"]), row["labels"])
    connection.executemany(f"UPDATE document SET deleted_at = {NOW} WHERE uid = ?", [(uid,) for uid in unpublished])
    connection.executemany(
        "INSERT INTO stage (document, name, position, state) VALUES (?, ?, ?, ?)",
        [(uid, Stage.PURGE, PURGE_POSITION, StageState.WAITING) for uid in chosen],
    )
    return bool(found)
