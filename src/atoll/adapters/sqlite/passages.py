"""What a search reads, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import Database
from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Passage, on_page
from atoll.domain.reader import Reader
from atoll.errors import NotFound
from atoll.ports.passages import MAX_FILTERED_DOCUMENTS, SearchScope
from atoll.records.filters import BOUNDS, bounds_of, check_matched, check_patterns, options_of
from atoll.records.rows import contents as rows
from atoll.records.rows.values import milliseconds, texts

# CROSS JOIN keeps SQLite from beginning with the knowledge base: by its own plan it would read every passage of it.
_CHOSEN = "(SELECT value FROM json_each(?))"


class SqlitePassages:
    """Port ``Passages``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def scope(self, reader: Reader, filters: Filters) -> SearchScope:
        """Read revision and language, and resolve the filters."""

        def work(connection: sqlite3.Connection) -> SearchScope:
            row = connection.execute(
                "SELECT revision, language, passages, gaps, (SELECT COALESCE(SUM(d.passages), 0) FROM document d "
                "WHERE d.kb = kb.uid AND d.visible = 0 AND d.indexed = 1) "
                # Points that still have their document's labels of before may be out of the reader's sight, too.
                "+ (SELECT COALESCE(SUM(d.passages), 0) FROM stage s CROSS JOIN document d ON d.uid = s.document "
                "WHERE s.name = 'relabel' AND d.kb = kb.uid AND d.visible = 1) AS hidden "
                "FROM kb WHERE uid = ? AND deleted_at IS NULL",
                (reader.kb,),
            ).fetchone()
            if row is None:
                raise NotFound("the knowledge base is gone")
            return SearchScope(
                revision=row["revision"],
                language=row["language"],
                passages=_in_sight(connection, reader) if reader.is_restricted else row["passages"],
                include=None if filters.is_empty else _matching(connection, reader, filters),
                hidden_points=row["hidden"],
                gaps=tuple(json.loads(row["gaps"])),
            )

        # Filters look at every document of the knowledge base: beside the one thread that all short reads share.
        return await (self._database.read if filters.is_empty else self._database.scan)(work)

    async def visible(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """Return the revision and the names of the visible ones of ``documents``."""

        def work(connection: sqlite3.Connection) -> tuple[int, dict[DocumentUid, str]]:
            row = connection.execute(
                "SELECT revision FROM kb WHERE uid = ? AND deleted_at IS NULL", (reader.kb,)
            ).fetchone()
            if row is None:
                raise NotFound("the knowledge base is gone")
            seen, values = columns.seen_by(reader)
            found = connection.execute(
                "SELECT d.uid, d.name FROM json_each(?) chosen CROSS JOIN document d ON d.uid = chosen.value "
                f"WHERE d.kb = ? AND d.visible = 1 AND {seen}",
                (json.dumps(documents), reader.kb, *values),
            )
            return row["revision"], {DocumentUid(each[0]): each[1] for each in found}

        return await self._database.read(work)

    async def hydrate(self, reader: Reader, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Return the passages that are visible now."""

        def work(connection: sqlite3.Connection) -> dict[PassageId, Passage]:
            seen, values = columns.seen_by(reader)
            found = connection.execute(
                f"SELECT {columns.PASSAGE}, d.source, d.version, d.created_at FROM json_each(?) chosen "
                "CROSS JOIN passage p ON p.id = chosen.value "
                f"CROSS JOIN document d ON d.uid = p.document WHERE d.kb = ? AND d.visible = 1 AND {seen}",
                (json.dumps(passages), reader.kb, *values),
            )
            return {passage.id: passage for passage in (rows.shown_passage(row, row) for row in found)}

        return await self._database.read(work)

    async def of_document(
        self, reader: Reader, document: DocumentUid, *, after: int, limit: int
    ) -> tuple[Passage, ...]:
        """Return passages of a visible document in order."""

        def work(connection: sqlite3.Connection) -> tuple[Passage, ...]:
            uid = _visible_reading(connection, reader, document)
            found = connection.execute(
                f"SELECT {columns.PASSAGE} FROM passage p WHERE p.document = ? AND p.ordinal > ? "
                "ORDER BY p.ordinal LIMIT ?",
                (uid, after, limit),
            )
            return tuple(map(rows.passage, found))

        return await self._database.read(work)

    async def of_page(
        self, reader: Reader, document: DocumentUid, page: int
    ) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
        """Return ids and boxes of the passages on one page."""

        def work(connection: sqlite3.Connection) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
            uid = _visible_reading(connection, reader, document)
            found = connection.execute(
                f"SELECT {columns.PASSAGE} FROM passage p WHERE p.document = ? AND p.page IN (?, ?) ORDER BY p.ordinal",
                (uid, page - 1, page),
            )
            return on_page(map(rows.passage, found), page)

        return await self._database.read(work)


def _visible_reading(connection: sqlite3.Connection, reader: Reader, document: DocumentUid) -> str:
    """Return the uid of the reading that readers see of a document. Raises NotFound."""
    seen, values = columns.seen_by(reader)
    row = connection.execute(
        f"SELECT d.uid FROM document d WHERE d.id = ? AND d.kb = ? AND d.visible = 1 AND {seen}",
        (document, reader.kb, *values),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no ready document {document} in this knowledge base")
    return str(row["uid"])


def _in_sight(connection: sqlite3.Connection, reader: Reader) -> int:
    """Return how many passages a reader sees; there are few different sets of labels, and an index holds the rest."""
    found = connection.execute(
        "SELECT labels, SUM(passages) AS passages FROM document WHERE kb = ? AND visible = 1 GROUP BY labels",
        (reader.kb,),
    )
    return sum(row["passages"] for row in found if reader.sees(texts(row["labels"])))


def _matching(connection: sqlite3.Connection, reader: Reader, filters: Filters) -> tuple[DocumentUid, ...]:
    seen, values = columns.seen_by(reader)
    conditions, more = _conditions(filters)
    where = " AND ".join(["d.kb = ?", "d.visible = 1", seen, *conditions])
    parameters = (reader.kb, *values, *more)
    found = connection.execute(
        f"SELECT d.uid FROM document d WHERE {where} LIMIT ?", (*parameters, MAX_FILTERED_DOCUMENTS + 1)
    ).fetchall()
    if len(found) > MAX_FILTERED_DOCUMENTS:
        check_matched(connection.execute(f"SELECT COUNT(*) FROM document d WHERE {where}", parameters).fetchone()[0])
    return tuple(DocumentUid(row["uid"]) for row in found)


def _conditions(filters: Filters) -> tuple[list[str], list[Any]]:
    """Return SQL conditions on document ``d`` and their parameters."""
    conditions: list[str] = []
    values: list[Any] = []
    for column, wanted in (
        ("d.id", filters.document_ids),
        ("d.source", filters.sources),
        ("d.media_type", filters.media_types),
    ):
        if wanted is not None:
            conditions.append(f"{column} IN {_CHOSEN}")
            values.append(json.dumps(wanted))
    if filters.names is not None:
        check_patterns(filters.names)
        conditions.append("EXISTS (SELECT 1 FROM json_each(?) glob WHERE d.name GLOB glob.value)")
        values.append(json.dumps(filters.names))
    if filters.labels is not None:
        conditions.append(f"EXISTS (SELECT 1 FROM json_each(d.labels) WHERE value IN {_CHOSEN})")
        values.append(json.dumps(filters.labels))
    for operator, at in ((">=", filters.created_after), ("<=", filters.created_before)):
        if at is not None:
            conditions.append(f"d.created_at {operator} ?")
            values.append(milliseconds(at))
    for key, wanted in filters.metadata.items():
        test, operands = _metadata_test(wanted)
        conditions.append(f"EXISTS (SELECT 1 FROM json_each(d.metadata) m WHERE m.key = ? AND {test})")
        values += [key, *operands]
    return conditions, values


def _metadata_test(wanted: Any) -> tuple[str, list[Any]]:
    """Return a test on ``m.value`` for a value, a list of values, or bounds {gte, lte}."""
    bounds = bounds_of(wanted)
    if bounds is not None:
        # A bound compares only values of its own kind: SQLite would otherwise order every number before every text.
        tests = [f"m.value {BOUNDS[name]} ? AND (typeof(m.value) = 'text') = (typeof(?) = 'text')" for name in bounds]
        return " AND ".join(tests), [operand for bound in bounds.values() for operand in (bound, bound)]
    options = json.dumps(options_of(wanted))
    # A list is found as a whole and by each of its members; SQLite refuses to list the members of anything else.
    members = "json_each(CASE m.type WHEN 'array' THEN m.value ELSE '[]' END)"
    return f"(m.value IN {_CHOSEN} OR EXISTS (SELECT 1 FROM {members} WHERE value IN {_CHOSEN}))", [options, options]
