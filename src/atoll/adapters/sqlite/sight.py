"""What a reader sees of the graph: the condition on documents, and entities counted under it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from atoll.adapters.sqlite import columns
from atoll.domain.ids import EntityId
from atoll.domain.reader import Reader
from atoll.ports.atlas import EntityCard


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
