"""How several reads of a knowledge base are made to be of one moment, and entities as a reader sees them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load_one
from atoll.adapters.neo4j.transitions import lock_kb
from atoll.domain.ids import EntityId, KbUid
from atoll.errors import NotFound
from atoll.ports.atlas import EntityCard

T = TypeVar("T")

_REVISION = load_one("atlas", "revision")
#: Reads that a publish or a delete may spoil before they are made while publishes and deletes wait.
_FREE_READS = 3


async def at_one_revision(database: Database, kb: KbUid, work: Callable[[Transaction, int], Awaitable[T]]) -> T:
    """Run reads of a knowledge base, between which nothing is published or deleted; ``work`` is given the revision.

    Every publish and every delete moves the revision: it is read before and after, and the reads are made again when
    it moved. Where that never ends they are made under the knowledge base's lock, which publishes and deletes take.

    Raises:
        NotFound: the knowledge base is gone.
    """

    async def free(transaction: Transaction) -> tuple[T, bool]:
        revision = await _revision(transaction, kb)
        found = await work(transaction, revision)
        return found, await _revision(transaction, kb) == revision

    async def locked(transaction: Transaction) -> T:
        await lock_kb(transaction, kb)
        return await work(transaction, await _revision(transaction, kb))

    for _ in range(_FREE_READS):
        found, still = await database.read(free)
        if still:
            return found
    return await database.write(locked)


async def _revision(transaction: Transaction, kb: KbUid) -> int:
    record = await transaction.one(_REVISION, kb=kb)
    if record is None:
        raise NotFound("the knowledge base is gone")
    return int(record["revision"])


def card(entity: EntityId, key: str, types: Sequence[tuple[str, int]]) -> EntityCard:
    """Return an entity as it is seen; ``types`` is what ``<<types>>`` says of it, and not empty."""
    return EntityCard(id=entity, key=key, type=types[0][0], passages=sum(count for _, count in types))
