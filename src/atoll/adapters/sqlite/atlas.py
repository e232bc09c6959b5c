"""Looking at the graph on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.catalogue import find_kb
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.sight import Sight, by_count, card, types_of
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId
from atoll.domain.reader import Reader
from atoll.errors import NotFound
from atoll.ports.atlas import (
    LISTED,
    PASSAGES_LOOKED_AT,
    SAMPLED,
    CoOccurrence,
    EntityCard,
    EntityDetail,
    EntityList,
    GraphCensus,
    Links,
)
from atoll.records.rows import contents as rows

_CHUNK = 256

# CROSS JOIN keeps SQLite to the order that is written: from what was asked for to the documents that decide.
_MENTIONS = "mention m CROSS JOIN document d ON d.uid = m.document"


class SqliteAtlas:
    """Port ``Atlas``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entities(self, reader: Reader, *, text: str | None, type_: str | None, limit: int) -> EntityList:
        """List entities, those of most passages first."""

        def work(connection: sqlite3.Connection) -> EntityList:
            find_kb(connection, reader.kb)
            sight = Sight(reader)
            ranked = _ranked(connection, sight, text)
            cards: list[EntityCard] = []
            # Without a type one chunk does; with one, as many as it takes to find enough of it.
            while len(cards) <= limit and (chunk := list(islice(ranked, max(limit + 1, _CHUNK if type_ else 0)))):
                types = types_of(connection, sight, [row["id"] for row in chunk])
                found = (card(row["id"], row["key"], types[row["id"]]) for row in chunk)
                cards += [card for card in found if type_ in (None, card.type)]
            return EntityList(tuple(cards[:limit]), truncated=len(cards) > limit)

        return await self._database.scan(work)

    async def entity(self, reader: Reader, entity: EntityId) -> EntityDetail:
        """Return one entity."""

        def work(connection: sqlite3.Connection) -> EntityDetail:
            find_kb(connection, reader.kb)
            sight = Sight(reader)
            key = connection.execute("SELECT key FROM entity WHERE id = ? AND kb = ?", (entity, reader.kb)).fetchone()
            types = types_of(connection, sight, [entity])[entity]
            if key is None or not types:
                raise NotFound(f"there is no entity {entity} in this knowledge base")
            surfaces = _tally(connection, sight, "m.surface", entity)
            documents = _tally(connection, sight, "m.document", entity)
            shown = {DocumentUid(uid): count for uid, count in documents[:LISTED]}
            sample = tuple(
                rows.passage(row)
                for row in connection.execute(
                    f"SELECT {columns.PASSAGE} FROM {_MENTIONS} CROSS JOIN passage p ON p.id = m.passage "
                    f"WHERE m.entity = ? AND {sight.where} ORDER BY m.tf DESC, p.id LIMIT ?",
                    (entity, *sight.values, SAMPLED),
                )
            )
            shown_card = card(entity, key["key"], types)
            return EntityDetail(
                card=shown_card,
                types=dict(by_count(types)[:LISTED]),
                surfaces=dict(surfaces[:LISTED]),
                document_count=len(documents),
                documents=shown,
                names=_names(connection, reader.kb, {*shown, *(each.document for each in sample)}),
                sample=sample,
                truncated=max(len(types), len(surfaces), len(documents)) > LISTED or shown_card.passages > len(sample),
            )

        return await self._database.scan(work)

    async def around(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> EntityList:
        """Return the entities that share the most passages with these."""

        def work(connection: sqlite3.Connection) -> EntityList:
            find_kb(connection, reader.kb)
            sight = Sight(reader)
            passages, cut = _passages(connection, sight, entities)
            found = connection.execute(
                "SELECT e.id, e.key, COUNT(*) AS shared FROM json_each(?) chosen "
                "CROSS JOIN mention m ON m.passage = chosen.value CROSS JOIN entity e ON e.id = m.entity "
                "WHERE e.kb = ? AND m.entity NOT IN (SELECT value FROM json_each(?)) "
                "GROUP BY e.id ORDER BY shared DESC, e.key LIMIT ?",
                (json.dumps(passages), reader.kb, json.dumps(entities), limit + 1),
            ).fetchall()
            types = types_of(connection, sight, [row["id"] for row in found[:limit]])
            cards = tuple(card(row["id"], row["key"], types[row["id"]]) for row in found[:limit])
            return EntityList(cards, truncated=cut or len(found) > limit)

        return await self._database.scan(work)

    async def between(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> Links:
        """Return what joins these entities."""

        def work(connection: sqlite3.Connection) -> Links:
            find_kb(connection, reader.kb)
            passages, cut = _passages(connection, Sight(reader), entities)
            asked, chosen = json.dumps(passages), json.dumps(entities)
            pairs = _pairs(
                connection.execute(
                    "SELECT m.passage, m.entity FROM json_each(?) chosen CROSS JOIN mention m "
                    "ON m.passage = chosen.value WHERE m.entity IN (SELECT value FROM json_each(?)) "
                    "ORDER BY m.passage, m.entity",
                    (asked, chosen),
                )
            )
            assertions = connection.execute(
                f"SELECT {columns.ASSERTION} FROM json_each(?1) chosen "
                "CROSS JOIN assertion a ON a.passage = chosen.value "
                "WHERE a.head IN (SELECT value FROM json_each(?2)) AND a.tail IN (SELECT value FROM json_each(?2)) "
                "ORDER BY a.weight DESC, a.passage, a.ordinal LIMIT ?3",
                (asked, chosen, limit + 1),
            ).fetchall()
            strongest = sorted(pairs.items(), key=lambda each: (-each[1], each[0]))
            return Links(
                together=tuple(CoOccurrence(*pair, passages=count) for pair, count in strongest[:limit]),
                assertions=tuple(map(rows.assertion, assertions[:limit])),
                truncated=cut or max(len(strongest), len(assertions)) > limit,
            )

        return await self._database.scan(work)

    async def census(self, reader: Reader) -> GraphCensus:
        """Count everything."""

        def work(connection: sqlite3.Connection) -> GraphCensus:
            revision = find_kb(connection, reader.kb)["revision"]
            sight = Sight(reader)
            documents = connection.execute(
                f"SELECT COUNT(*), COALESCE(SUM(d.passages), 0) FROM document d WHERE {sight.where}", sight.values
            ).fetchone()
            types = connection.execute(
                "WITH counted AS (SELECT m.entity, m.type, COUNT(*) AS n FROM document d CROSS JOIN mention m "
                f"ON m.document = d.uid WHERE {sight.where} GROUP BY m.entity, m.type), "
                "ranked AS (SELECT type, SUM(n) OVER (PARTITION BY entity) AS mentions, "
                "ROW_NUMBER() OVER (PARTITION BY entity ORDER BY n DESC, type) AS place FROM counted) "
                "SELECT type, COUNT(*) AS entities, SUM(mentions) AS mentions FROM ranked WHERE place = 1 "
                "GROUP BY type ORDER BY entities DESC, type",
                sight.values,
            ).fetchall()
            assertions = connection.execute(
                "SELECT COUNT(*) FROM document d CROSS JOIN passage p ON p.document = d.uid "
                f"CROSS JOIN assertion a ON a.passage = p.id WHERE {sight.where}",
                sight.values,
            ).fetchone()
            return GraphCensus(
                revision=revision,
                documents=documents[0],
                passages=documents[1],
                entities=sum(row["entities"] for row in types),
                mentions=sum(row["mentions"] for row in types),
                assertions=assertions[0],
                types={row["type"]: row["entities"] for row in types},
            )

        return await self._database.scan(work)


def _ranked(connection: sqlite3.Connection, sight: Sight, text: str | None) -> Iterator[sqlite3.Row]:
    """Yield id and key of the entities in sight, those of most passages first."""
    match, values = ("", ()) if text is None else (" AND instr(e.key, ?) > 0", (text.lower(),))
    if sight.everything:  # the counter counts the same documents
        return connection.execute(
            f"SELECT e.id, e.key FROM entity e WHERE e.kb = ? AND e.df > 0{match} ORDER BY e.df DESC, e.key",
            (sight.kb, *values),
        )
    return connection.execute(
        "SELECT e.id, e.key FROM (SELECT m.entity, COUNT(*) AS n FROM document d CROSS JOIN mention m "
        f"ON m.document = d.uid WHERE {sight.where} GROUP BY m.entity) counted JOIN entity e ON e.id = counted.entity "
        f"WHERE e.kb = ?{match} ORDER BY counted.n DESC, e.key",
        (*sight.values, sight.kb, *values),
    )


def _tally(connection: sqlite3.Connection, sight: Sight, column: str, entity: EntityId) -> list[tuple[str, int]]:
    found = connection.execute(
        f"SELECT {column} AS value, COUNT(*) AS n FROM {_MENTIONS} WHERE m.entity = ? AND {sight.where} GROUP BY value",
        (entity, *sight.values),
    )
    return by_count({row["value"]: row["n"] for row in found})


def _names(connection: sqlite3.Connection, kb: KbUid, documents: Iterable[DocumentUid]) -> dict[DocumentUid, str]:
    found = connection.execute(
        "SELECT d.uid, d.name FROM json_each(?) chosen CROSS JOIN document d ON d.uid = chosen.value WHERE d.kb = ?",
        (json.dumps(list(documents)), kb),
    )
    return {DocumentUid(row["uid"]): row["name"] for row in found}


def _passages(
    connection: sqlite3.Connection, sight: Sight, entities: Sequence[EntityId]
) -> tuple[list[PassageId], bool]:
    """Return the passages in sight that mention these entities, and whether there are more than are looked at."""
    found: set[PassageId] = set()
    cut = False
    for entity in entities:
        mentioned = connection.execute(
            f"SELECT m.passage FROM {_MENTIONS} WHERE m.entity = ? AND {sight.where} ORDER BY m.passage LIMIT ?",
            (entity, *sight.values, PASSAGES_LOOKED_AT + 1),
        ).fetchall()
        cut = cut or len(mentioned) > PASSAGES_LOOKED_AT
        found.update(row["passage"] for row in mentioned[:PASSAGES_LOOKED_AT])
    return sorted(found), cut


def _pairs(mentions: Iterable[sqlite3.Row]) -> Counter[tuple[EntityId, EntityId]]:
    """Count in how many passages two entities are together; mentions come by passage, then by entity."""
    members: dict[PassageId, list[EntityId]] = {}
    for row in mentions:
        members.setdefault(row["passage"], []).append(row["entity"])
    counts: Counter[tuple[EntityId, EntityId]] = Counter()
    for entities in members.values():
        counts.update(combinations(entities, 2))
    return counts
