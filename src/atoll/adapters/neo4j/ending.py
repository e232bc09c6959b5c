"""The documents of a deleted knowledge base, hidden some at a time: none of these transactions is large, on Neo4j."""

from __future__ import annotations

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import hide, lock_kb
from atoll.domain.ids import DocumentUid, KbUid

_HALF_DELETED, _OLDEST_DOCUMENTS, _FENCE_DOCUMENTS, _ALIVE_DOCUMENTS = load(
    "ending", "half_deleted", "oldest_documents", "fence_documents", "alive_documents"
)
_HIDDEN_AT_ONCE = 50


async def hide_documents(database: Database, kb: KbUid) -> None:
    """Hide all documents of a deleted knowledge base and queue their purge.

    Their counters stay: nobody reads those of a deleted knowledge base, and they go with its entities.
    """
    while await database.write(lambda transaction: _hide_some(transaction, kb)):
        pass


async def end_what_broke_off(database: Database) -> None:
    """Hide the documents of deleted knowledge bases whose deletion ended with the process that was at it."""

    async def look(transaction: Transaction) -> list[KbUid]:
        return [KbUid(record["uid"]) for record in await transaction.all(_HALF_DELETED)]

    for kb in await database.read(look):
        await hide_documents(database, kb)


async def _hide_some(transaction: Transaction, kb: KbUid) -> bool:
    """Hide the oldest documents; return whether there were any."""
    chosen = await transaction.one(_OLDEST_DOCUMENTS, kb=kb, limit=_HIDDEN_AT_ONCE)
    assert chosen is not None, "an aggregation returns one record"
    if not chosen["uids"]:
        return False
    await transaction.all(_FENCE_DOCUMENTS, kb=kb, documents=chosen["uids"])
    await lock_kb(transaction, kb)
    alive = await transaction.one(_ALIVE_DOCUMENTS, kb=kb, documents=chosen["uids"])
    assert alive is not None, "an aggregation returns one record"
    if alive["uids"]:
        await hide(transaction, kb, list(map(DocumentUid, alive["uids"])), visible=False)
    return True
