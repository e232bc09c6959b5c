"""What retrieval reads of the graph, on SQLite.

Documents are few where mentions are many: mentions come from one covering index, and what the reader does not see is
dropped by document, all within one read transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.columns import tuples
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.sight import Known, counted_in_sight, df_in_sight
from atoll.domain.entity import EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.reader import Reader
from atoll.ports.graph import Annotations, GraphScope, Incidence, Neighbourhood, Reach, Stated
from atoll.records.rows import contents as rows
from atoll.records.rows import values as kept

_CHOSEN = "(SELECT value FROM json_each(?))"


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
            if scope.reader.is_restricted:
                known = counted_in_sight(connection, scope.reader, known, {entity for _, entity, _ in of_seeds})
            place = {id_: at for at, (id_, *_) in enumerate(known)}
            followed = _followed(known, reach)
            found, names = _mentions_of(connection, scope, [known[at][0] for at in followed])
            documents = {passage: document for passage, document, _, _ in found}
            passages = tuple(sorted(documents))
            row_of = {passage: row for row, passage in enumerate(passages)}
            vectors = _passage_vectors(connection, passages) if reach.vectors else None
            seed_of = {passage: row for row, passage in enumerate(headings)}
            chosen = np.array(followed, np.int64)
            is_followed = np.zeros(len(known), np.bool_)
            is_followed[chosen] = True
            return Neighbourhood(
                seeds=tuple(headings),
                headings=tuple(headings.values()),
                seed_mentions=Incidence(
                    passage=np.array([seed_of[passage] for passage, _, _ in of_seeds], np.int64),
                    entity=np.array([place[entity] for _, entity, _ in of_seeds], np.int64),
                    tf=np.array([tf for _, _, tf in of_seeds], np.int64),
                ),
                entities=tuple([EntityName(id_, key) for id_, key, _, _ in known]),
                df=np.array([df for _, _, df, _ in known], np.int64),
                followed=is_followed,
                entity_vectors=kept.vectors([vector for _, _, _, vector in known]) if reach.vectors else None,
                passages=passages,
                documents=tuple(map(documents.__getitem__, passages)),
                names=names,
                passage_vectors=vectors,
                mentions=Incidence(
                    passage=np.array([row_of[passage] for passage, _, _, _ in found], np.int64),
                    entity=chosen[np.array([at for _, _, _, at in found], np.int64)],
                    tf=np.array([tf for _, _, tf, _ in found], np.int64),
                ),
            )

        return await self._database.read(work)

    async def shared(self, reader: Reader, entities: Sequence[EntityId]) -> frozenset[EntityId]:
        """Return those that two passages in sight mention."""

        def work(connection: sqlite3.Connection) -> frozenset[EntityId]:
            return frozenset(entity for entity, df in df_in_sight(connection, reader, entities).items() if df > 1)

        return await self._database.read(work)

    async def annotations(self, scope: GraphScope, passages: Sequence[PassageId]) -> Annotations:
        """Return what was found in the visible ones of ``passages``."""

        def work(connection: sqlite3.Connection) -> Annotations:
            document_of = _documents_of(connection, passages)
            names = _visible(connection, scope, set(document_of.values()))
            visible = [passage for passage in passages if document_of.get(passage) in names]
            mentioned = tuples(
                connection,
                "SELECT m.passage, m.entity, m.surface, m.type, m.tf, m.span_start, m.span_end FROM mention m "
                f"WHERE m.passage IN {_CHOSEN} ORDER BY m.span_start, m.span_end, m.entity",
                (json.dumps(visible),),
            )
            asserted = tuples(
                connection,
                f"SELECT {columns.ASSERTION}, a.id FROM json_each(?) chosen "
                "CROSS JOIN assertion a ON a.passage = chosen.value",
                (json.dumps(visible),),
            )
            keys = _keys(connection, scope, {row[1] for row in mentioned}, asserted)
            mentions: dict[PassageId, list[Mention]] = {passage: [] for passage in visible}
            for passage, entity, surface, kind, tf, start, end in mentioned:
                mentions[passage].append(Mention(passage, entity, keys[entity], surface, kind, tf, (start, end)))
            stated = sorted(
                (_stated(row, keys, document_of) for row in asserted),
                key=lambda each: (-each.assertion.weight, each.id),
            )
            return Annotations({passage: tuple(found) for passage, found in mentions.items()}, tuple(stated), names)

        return await self._database.read(work)

    async def stated(self, scope: GraphScope, relations: Sequence[RelationId]) -> Annotations:
        """Return the assertions that visible passages make."""

        def work(connection: sqlite3.Connection) -> Annotations:
            asserted = tuples(
                connection,
                f"SELECT {columns.ASSERTION}, a.id FROM json_each(?) chosen "
                "CROSS JOIN assertion a ON a.id = chosen.value",
                (json.dumps(list(relations)),),
            )
            document_of = _documents_of(connection, [row[0] for row in asserted])
            names = _visible(connection, scope, set(document_of.values()))
            visible = [row for row in asserted if document_of[row[0]] in names]
            keys = _keys(connection, scope, set(), visible)
            stated = {row[-1]: _stated(row, keys, document_of) for row in visible}
            return Annotations({}, tuple([stated[id_] for id_ in relations if id_ in stated]), names)

        return await self._database.read(work)


def _visible(connection: sqlite3.Connection, scope: GraphScope, documents: Iterable[str]) -> dict[DocumentUid, str]:
    """Return the names of those documents that the scope sees."""
    wanted = set(documents) if scope.include is None else set(documents) & set(scope.include)
    seen, values = columns.seen_by(scope.reader)
    found = connection.execute(
        "SELECT d.uid, d.name FROM json_each(?) chosen CROSS JOIN document d ON d.uid = chosen.value "
        f"WHERE d.kb = ? AND d.visible = 1 AND {seen}",
        (json.dumps(sorted(wanted)), scope.reader.kb, *values),
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
    found = tuples(connection, f"SELECT id, document FROM passage WHERE id IN {_CHOSEN}", (json.dumps(list(passages)),))
    return dict(found)


def _mentions_in(
    connection: sqlite3.Connection, passages: Sequence[PassageId]
) -> list[tuple[PassageId, EntityId, int]]:
    """Return passage, entity and tf."""
    return tuples(
        connection, f"SELECT passage, entity, tf FROM mention WHERE passage IN {_CHOSEN}", (json.dumps(list(passages)),)
    )


def _entities(
    connection: sqlite3.Connection, scope: GraphScope, ids: Iterable[str], keys: Sequence[str], *, vectors: bool
) -> list[Known]:
    """Return entities of the knowledge base, by id."""
    vector = "e.vector" if vectors else "NULL"
    known: dict[str, Known] = {
        row[0]: row
        for column, owner, wanted in (("id", "+e.kb", ids), ("key", "e.kb", keys))
        for row in tuples(
            connection,
            # CROSS JOIN keeps SQLite from looking through every entity of the knowledge base.
            f"SELECT e.id, e.key, e.df, {vector} FROM json_each(?) chosen "
            f"CROSS JOIN entity e ON e.{column} = chosen.value WHERE {owner} = ?",
            (json.dumps(sorted(wanted)), scope.reader.kb),
        )
    }
    return [known[entity] for entity in sorted(known)]


def _keys(
    connection: sqlite3.Connection, scope: GraphScope, ids: set[EntityId], asserted: Sequence[tuple[Any, ...]]
) -> dict[EntityId, str]:
    """Return the keys of entities, and of the ends of assertions: one look for each, however often it occurs."""
    ends = {end for _, _, head, tail, *_ in asserted for end in (head, tail)}
    return {id_: key for id_, key, _, _ in _entities(connection, scope, ids | ends, (), vectors=False)}


def _followed(known: Sequence[Known], reach: Reach) -> list[int]:
    """Return the places in ``known``, which is ordered by id, of those whose passages are read, the rarest first."""
    chosen: list[int] = []
    in_hand = 0
    for df, at in sorted((df, at) for at, (_, _, df, _) in enumerate(known) if 1 <= df <= reach.max_df):
        if in_hand >= reach.max_passages:
            break
        chosen.append(at)
        in_hand += df
    return chosen


def _mentions_of(
    connection: sqlite3.Connection, scope: GraphScope, entities: Sequence[str]
) -> tuple[list[tuple[PassageId, DocumentUid, int, int]], dict[DocumentUid, str]]:
    """Return passage, document, tf and place in ``entities`` of visible mentions, and the names of the documents."""
    found = tuples(
        connection,
        "SELECT m.passage, m.document, m.tf, chosen.key FROM json_each(?) chosen "
        "CROSS JOIN mention m INDEXED BY mention_entity ON m.entity = chosen.value",
        (json.dumps(list(entities)),),
    )
    documents = {row[1] for row in found}
    names = _visible(connection, scope, documents)
    return found if len(names) == len(documents) else [row for row in found if row[1] in names], names


def _passage_vectors(connection: sqlite3.Connection, passages: Sequence[str]) -> NDArray[np.float16]:
    """Return one row a passage, in the order of ``passages``, which is that of their ids."""
    # SQLite would sort, and copy all vectors for that; they come in order as it is.
    found = tuples(
        connection,
        "SELECT chosen.key, p.vector FROM json_each(?) chosen CROSS JOIN passage p ON p.id = chosen.value",
        (json.dumps(list(passages)),),
    )
    return kept.vectors([vector for _, vector in sorted(found, key=itemgetter(0))])


def _stated(row: Sequence[Any], keys: Mapping[EntityId, str], document_of: Mapping[PassageId, DocumentUid]) -> Stated:
    *columns, id_ = row
    found = rows.assertion(columns)
    head, tail = EntityName(found.head, keys[found.head]), EntityName(found.tail, keys[found.tail])
    return Stated(id_, found, head, tail, document_of[found.passage])
