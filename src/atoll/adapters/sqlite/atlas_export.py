"""The whole graph in batches, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import islice

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.catalogue import find_kb
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.sight import Sight, card, types_of
from atoll.domain.ids import EntityId, KbUid, PassageId
from atoll.domain.reader import Reader
from atoll.ports.atlas import AssertionBatch, CoOccurrence, EntityCard, NodeBatch, TogetherBatch
from atoll.records.rows import contents as rows

#: Heads whose co-occurrences are counted in one statement.
_HEADS = 64


class SqliteAtlasExport:
    """Port ``AtlasExport``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def nodes(self, reader: Reader, *, after: EntityId | None, limit: int) -> NodeBatch:
        """Read entities in the order of their ids."""

        def work(connection: sqlite3.Connection) -> NodeBatch:
            revision = find_kb(connection, reader.kb)["revision"]
            sight = Sight(reader)
            following = _following(connection, reader.kb, after)
            cards: list[EntityCard] = []
            while len(cards) < limit and (chunk := list(islice(following, limit - len(cards)))):
                types = types_of(connection, sight, [row["id"] for row in chunk])
                cards += [card(row["id"], row["key"], types[row["id"]]) for row in chunk if types[row["id"]]]
            return NodeBatch(revision, tuple(cards))

        return await self._database.scan(work)

    async def together(self, reader: Reader, *, after: tuple[EntityId, EntityId] | None, limit: int) -> TogetherBatch:
        """Read co-occurrences."""

        def work(connection: sqlite3.Connection) -> TogetherBatch:
            revision = find_kb(connection, reader.kb)["revision"]
            sight = Sight(reader)
            found: list[CoOccurrence] = []
            if after is not None:
                found += _together(connection, sight, [after[0]], beyond=after[1], limit=limit)
            following = (row["id"] for row in _following(connection, reader.kb, None if after is None else after[0]))
            while len(found) < limit and (heads := list(islice(following, _HEADS))):
                found += _together(connection, sight, heads, beyond="", limit=limit - len(found))
            return TogetherBatch(revision, tuple(found))

        return await self._database.scan(work)

    async def assertions(self, reader: Reader, *, after: tuple[PassageId, int] | None, limit: int) -> AssertionBatch:
        """Read assertions."""

        def work(connection: sqlite3.Connection) -> AssertionBatch:
            revision = find_kb(connection, reader.kb)["revision"]
            sight = Sight(reader)
            found = connection.execute(
                f"SELECT {columns.ASSERTION} FROM assertion a CROSS JOIN passage p ON p.id = a.passage "
                "CROSS JOIN document d ON d.uid = p.document "
                f"WHERE (a.passage, a.ordinal) > (?, ?) AND {sight.where} ORDER BY a.passage, a.ordinal LIMIT ?",
                (*(after or ("", -1)), *sight.values, limit),
            )
            return AssertionBatch(revision, tuple(map(rows.assertion, found)))

        return await self._database.scan(work)


def _following(connection: sqlite3.Connection, kb: KbUid, after: EntityId | None) -> Iterator[sqlite3.Row]:
    return connection.execute(
        "SELECT e.id, e.key FROM entity e INDEXED BY entity_kb WHERE e.kb = ? AND e.id > ? ORDER BY e.id",
        (kb, after or ""),
    )


def _together(
    connection: sqlite3.Connection, sight: Sight, heads: Sequence[EntityId], *, beyond: str, limit: int
) -> list[CoOccurrence]:
    """Return co-occurrences of these heads, with tails whose ids follow ``beyond``, in order."""
    found = connection.execute(
        "SELECT m.entity AS head, other.entity AS tail, COUNT(*) AS n FROM json_each(?) chosen "
        "CROSS JOIN mention m ON m.entity = chosen.value CROSS JOIN document d ON d.uid = m.document "
        "CROSS JOIN mention other ON other.passage = m.passage AND other.entity > MAX(m.entity, ?) "
        f"WHERE {sight.where} GROUP BY head, tail ORDER BY head, tail LIMIT ?",
        (json.dumps(heads), beyond, *sight.values, limit),
    )
    return [CoOccurrence(row["head"], row["tail"], row["n"]) for row in found]
