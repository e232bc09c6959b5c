"""What a reader sees of the graph: the condition on documents, and entities counted under it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.columns import tuples
from atoll.domain.ids import EntityId
from atoll.domain.reader import Reader
from atoll.ports.atlas import EntityCard
from atoll.ports.graph import MOST_COUNTED
from atoll.records.rows.values import texts

#: Id, key, df and vector of an entity.
Known = tuple[EntityId, str, int, bytes | None]


class Sight:
    """The condition that document ``d`` is visible to a reader, and its values."""

    def __init__(self, reader: Reader) -> None:
        seen, values = columns.seen_by(reader)
        self.kb = reader.kb
        self.everything = reader.labels is None
        self.where = f"d.kb = ? AND d.visible = 1 AND {seen}"
        self.values: tuple[str, ...] = (reader.kb, *values)


def types_of(
    connection: sqlite3.Connection, sight: Sight, entities: Sequence[EntityId]
) -> dict[EntityId, dict[str, int]]:
    """Return of each entity in how many passages it has which type; nothing of one that is out of sight."""
    found: dict[EntityId, dict[str, int]] = {entity: {} for entity in entities}
    for row in connection.execute(
        "SELECT m.entity, m.type, COUNT(*) AS n FROM json_each(?) chosen CROSS JOIN mention m "
        f"ON m.entity = chosen.value CROSS JOIN document d ON d.uid = m.document WHERE {sight.where} "
        "GROUP BY m.entity, m.type",
        (json.dumps(entities), *sight.values),
    ):
        found[row["entity"]][row["type"]] = row["n"]
    return found


def card(entity: EntityId, key: str, types: Mapping[str, int]) -> EntityCard:
    """Return an entity as it is seen; ``types`` is what ``types_of`` says of it, and not empty."""
    return EntityCard(id=entity, key=key, type=by_count(types)[0][0], passages=sum(types.values()))


def by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return counts, the highest first, ties by name."""
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def counted_in_sight(
    connection: sqlite3.Connection, reader: Reader, known: Sequence[Known], certain: set[EntityId]
) -> list[Known]:
    """Return what a restricted reader is told of entities: as if there were only the documents that it sees.

    Those in ``certain`` are mentioned in its sight: one that a single passage mentions need not be counted.
    """
    counts = {id_: 1 for id_, _, df, _ in known if df == 1 and id_ in certain}
    counts |= df_in_sight(connection, reader, [id_ for id_, *_ in known if id_ not in counts])
    return [
        (id_, key, counts[id_], vector if counts[id_] > 1 else None) for id_, key, _, vector in known if id_ in counts
    ]


def df_in_sight(connection: sqlite3.Connection, reader: Reader, entities: Sequence[EntityId]) -> dict[EntityId, int]:
    """Return how many passages in sight mention each entity, counted to `MOST_COUNTED`; nothing of one without any."""
    held = [
        row["labels"]
        for row in connection.execute("SELECT DISTINCT labels FROM document WHERE kb = ? AND visible = 1", (reader.kb,))
        if reader.sees(texts(row["labels"]))
    ]
    found = tuples(
        connection,
        "SELECT chosen.value, (SELECT COUNT(*) FROM (SELECT 1 FROM mention m INDEXED BY mention_entity "
        "CROSS JOIN document d INDEXED BY document_seen ON d.uid = m.document WHERE m.entity = chosen.value "
        f"AND d.kb = ?2 AND d.visible = 1 AND d.labels IN (SELECT value FROM json_each(?3)) LIMIT {MOST_COUNTED})) "
        "FROM json_each(?1) chosen",
        (json.dumps(list(entities)), reader.kb, json.dumps(held)),
    )
    return {entity: df for entity, df in found if df}
