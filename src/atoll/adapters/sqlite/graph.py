"""What retrieval reads of the graph, on SQLite.

Documents are few where mentions are many: mentions come from one covering index, and what the reader does not see is
dropped by document, all within one read transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.sqlite import rows
from atoll.adapters.sqlite.database import Database
from atoll.domain.entity import Assertion, EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.ports.graph import Annotations, GraphScope, Incidence, Neighbourhood, Reach, Stated

_Mention = tuple[str, str, int]  # passage, entity, tf

_CHOSEN = "(SELECT value FROM json_each(?))"
_ASSERTION = (
    "SELECT a.id, a.passage, a.ordinal, a.head, a.tail, a.keywords, a.description, a.weight, p.document, "
    "h.key AS head_key, t.key AS tail_key FROM json_each(?) chosen CROSS JOIN assertion a ON {on} = chosen.value "
    "CROSS JOIN passage p ON p.id = a.passage "
    "CROSS JOIN entity h ON h.id = a.head CROSS JOIN entity t ON t.id = a.tail "
    "WHERE h.kb = ? AND t.kb = ? ORDER BY {order}"
)


class SqliteGraph:
    """Port ``Graph``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def neighbourhood(
        self,
        scope: GraphScope,
        seeds: Sequence[PassageId],
        *,
        entities: Sequence[EntityId] = (),
        keys: Sequence[str] = (),
        reach: Reach,
    ) -> Neighbourhood:
        """Return the entities asked for and the passages one step further."""

        def work(connection: sqlite3.Connection) -> Neighbourhood:
            headings = _headings(connection, scope, seeds)
            of_seeds = _mentions_in(connection, list(headings))
            asked = {entity for _, entity, _ in of_seeds} | set(entities)
            known = _entities(connection, scope, asked, keys, vectors=reach.vectors)
            followed = _followed(known, reach)
            found, documents, names = _mentions_of(connection, scope, followed)
            passages = tuple(sorted(documents))
            vectors = _passage_vectors(connection, passages) if reach.vectors else None
            ids, chosen = [row["id"] for row in known], set(followed)
            return Neighbourhood(
                seeds=tuple(headings),
                headings=tuple(headings.values()),
                seed_mentions=_incidence(of_seeds, list(headings), ids),
                entities=tuple(EntityName(EntityId(row["id"]), row["key"]) for row in known),
                df=np.array([row["df"] for row in known], np.int64),
                followed=np.array([each in chosen for each in ids], np.bool_),
                entity_vectors=_matrix([row["vector"] for row in known]) if reach.vectors else None,
                passages=passages,
                documents=tuple(map(documents.__getitem__, passages)),
                names=names,
                passage_vectors=vectors,
                mentions=_incidence(found, passages, ids),
            )

        return await self._database.read(work)

    async def annotations(self, scope: GraphScope, passages: Sequence[PassageId]) -> Annotations:
        """Return what was found in the visible ones of ``passages``."""

        def work(connection: sqlite3.Connection) -> Annotations:
            document_of = _documents_of(connection, passages)
            names = _visible(connection, scope, set(document_of.values()))
            visible = [passage for passage in passages if document_of.get(passage) in names]
            by_passage: dict[PassageId, list[Mention]] = {passage: [] for passage in visible}
            for passage, entity, key, surface, kind, tf, start, end in _tuples(
                connection,
                "SELECT m.passage, m.entity, e.key, m.surface, m.type, m.tf, m.span_start, m.span_end "
                "FROM mention m CROSS JOIN entity e ON e.id = m.entity "
                f"WHERE m.passage IN {_CHOSEN} AND e.kb = ? ORDER BY m.span_start, m.span_end, m.entity",
                (json.dumps(visible), scope.kb),
            ):
                by_passage[passage].append(Mention(passage, entity, key, surface, kind, tf, (start, end)))
            query = _ASSERTION.format(on="a.passage", order="a.weight DESC, a.id")
            stated = connection.execute(query, (json.dumps(visible), scope.kb, scope.kb)).fetchall()
            mentions = {passage: tuple(found) for passage, found in by_passage.items()}
            return Annotations(mentions, tuple(map(_stated, stated)), names)

        return await self._database.read(work)

    async def stated(self, scope: GraphScope, relations: Sequence[RelationId]) -> Annotations:
        """Return the assertions that visible passages make."""

        def work(connection: sqlite3.Connection) -> Annotations:
            query = _ASSERTION.format(on="a.id", order="chosen.key")
            found = connection.execute(query, (json.dumps(list(relations)), scope.kb, scope.kb)).fetchall()
            names = _visible(connection, scope, {row["document"] for row in found})
            return Annotations({}, tuple(_stated(row) for row in found if row["document"] in names), names)

        return await self._database.read(work)


def _visible(connection: sqlite3.Connection, scope: GraphScope, documents: Iterable[str]) -> dict[DocumentUid, str]:
    """Return the names of those documents that the scope sees."""
    wanted = set(documents) if scope.include is None else set(documents) & set(scope.include)
    seen, values = rows.seen_by(scope.labels)
    found = connection.execute(
        "SELECT d.uid, d.name FROM json_each(?) chosen CROSS JOIN document d ON d.uid = chosen.value "
        f"WHERE d.kb = ? AND d.visible = 1 AND {seen}",
        (json.dumps(sorted(wanted)), scope.kb, *values),
    )
    return {DocumentUid(row[0]): row[1] for row in found}


def _headings(
    connection: sqlite3.Connection, scope: GraphScope, passages: Sequence[PassageId]
) -> dict[PassageId, tuple[str, ...]]:
    """Return the headings of the visible ones of ``passages``, in the order asked for."""
    found = connection.execute(
        "SELECT p.id, p.document, p.headings FROM json_each(?) chosen CROSS JOIN passage p ON p.id = chosen.value "
        "ORDER BY chosen.key",
        (json.dumps(list(dict.fromkeys(passages))),),
    ).fetchall()
    names = _visible(connection, scope, {row[1] for row in found})
    return {PassageId(row[0]): tuple(json.loads(row[2])) for row in found if row[1] in names}


def _documents_of(connection: sqlite3.Connection, passages: Sequence[PassageId]) -> dict[PassageId, DocumentUid]:
    found = _tuples(
        connection, f"SELECT id, document FROM passage WHERE id IN {_CHOSEN}", (json.dumps(list(passages)),)
    )
    return dict(found)


def _mentions_in(connection: sqlite3.Connection, passages: Sequence[PassageId]) -> list[_Mention]:
    return _tuples(
        connection, f"SELECT passage, entity, tf FROM mention WHERE passage IN {_CHOSEN}", (json.dumps(list(passages)),)
    )


def _entities(
    connection: sqlite3.Connection, scope: GraphScope, ids: Iterable[str], keys: Sequence[str], *, vectors: bool
) -> list[sqlite3.Row]:
    """Return id, key, df and vector of entities of the knowledge base, by id."""
    vector = "e.vector" if vectors else "NULL AS vector"
    known = {
        row["id"]: row
        for column, owner, wanted in (("id", "+e.kb", ids), ("key", "e.kb", keys))
        for row in connection.execute(
            # CROSS JOIN keeps SQLite from looking through every entity of the knowledge base.
            f"SELECT e.id, e.key, e.df, {vector} FROM json_each(?) chosen "
            f"CROSS JOIN entity e ON e.{column} = chosen.value WHERE {owner} = ?",
            (json.dumps(sorted(wanted)), scope.kb),
        )
    }
    return [known[entity] for entity in sorted(known)]


def _followed(known: Sequence[sqlite3.Row], reach: Reach) -> list[str]:
    chosen: list[str] = []
    in_hand = 0
    for df, entity in sorted((row["df"], row["id"]) for row in known if 1 <= row["df"] <= reach.max_df):
        if in_hand >= reach.max_passages:
            break
        chosen.append(entity)
        in_hand += df
    return chosen


def _mentions_of(
    connection: sqlite3.Connection, scope: GraphScope, entities: Sequence[str]
) -> tuple[list[_Mention], dict[PassageId, DocumentUid], dict[DocumentUid, str]]:
    """Return the visible mentions of ``entities``, the document of each of their passages, and its name."""
    found = _tuples(
        connection,
        "SELECT m.passage, m.entity, m.tf, m.document FROM json_each(?) chosen "
        "CROSS JOIN mention m INDEXED BY mention_entity ON m.entity = chosen.value",
        (json.dumps(list(entities)),),
    )
    names = _visible(connection, scope, {row[3] for row in found})
    visible = [row for row in found if row[3] in names]
    return [row[:3] for row in visible], {row[0]: row[3] for row in visible}, names


def _tuples(connection: sqlite3.Connection, query: str, parameters: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return all rows at once, and as they are: a neighbourhood has thousands."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(query, parameters).fetchall()


def _passage_vectors(connection: sqlite3.Connection, passages: Sequence[str]) -> NDArray[np.float16]:
    """Return one row a passage, in the order of ``passages``, which is that of their ids."""
    found = _tuples(
        connection,
        "SELECT p.vector FROM json_each(?) chosen CROSS JOIN passage p ON p.id = chosen.value ORDER BY chosen.key",
        (json.dumps(list(passages)),),
    )
    return _matrix([vector for (vector,) in found])


def _matrix(vectors: Sequence[bytes | None]) -> NDArray[np.float16]:
    """Return fp16 rows as stored, a row of zeros for None; (n, 0) when there is no vector at all."""
    width = max((len(vector) for vector in vectors if vector is not None), default=0)
    blank = bytes(width)
    joined = b"".join(blank if vector is None else vector for vector in vectors)
    return np.frombuffer(joined, np.float16).reshape(len(vectors), width // 2)


def _incidence(mentions: Sequence[_Mention], passages: Sequence[str], entities: Sequence[str]) -> Incidence:
    row_of = {passage: row for row, passage in enumerate(passages)}
    entity_of = {entity: row for row, entity in enumerate(entities)}
    return Incidence(
        passage=np.array([row_of[passage] for passage, _, _ in mentions], np.int64),
        entity=np.array([entity_of[entity] for _, entity, _ in mentions], np.int64),
        tf=np.array([tf for _, _, tf in mentions], np.int64),
    )


def _stated(row: sqlite3.Row) -> Stated:
    head, tail = EntityName(EntityId(row["head"]), row["head_key"]), EntityName(EntityId(row["tail"]), row["tail_key"])
    return Stated(
        id=RelationId(row["id"]),
        assertion=Assertion(
            passage=PassageId(row["passage"]),
            ordinal=row["ordinal"],
            head=head.id,
            tail=tail.id,
            keywords=tuple(json.loads(row["keywords"])),
            description=row["description"],
            weight=row["weight"],
        ),
        head=head,
        tail=tail,
        document=DocumentUid(row["document"]),
    )
