"""What the vector index is rebuilt from, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import Database
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, RelationId
from atoll.ports.index_source import (
    IndexedDocument,
    IndexedEntities,
    IndexedKb,
    IndexedPassages,
    IndexedRelations,
)
from atoll.records.rows import contents as rows
from atoll.records.rows.documents import artefacts
from atoll.records.rows.values import texts, vectors


class SqliteIndexSource:
    """Port ``IndexSource``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def embedding(self, fingerprint: str) -> str:
        """Return the embedding that stored vectors are of."""

        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute("SELECT fingerprint FROM embedding").fetchone()
            return None if row is None else str(row[0])

        def note(connection: sqlite3.Connection) -> str:
            connection.execute(
                "INSERT INTO embedding (only, fingerprint) VALUES (1, ?) ON CONFLICT (only) DO UPDATE "
                "SET fingerprint = excluded.fingerprint WHERE NOT EXISTS (SELECT 1 FROM passage)",
                (fingerprint,),
            )
            return read(connection) or fingerprint

        noted = await self._database.scan(read)
        return noted if noted == fingerprint else await self._database.write(note)

    async def kbs(self) -> tuple[IndexedKb, ...]:
        """Return all knowledge bases with their figures."""

        def work(connection: sqlite3.Connection) -> tuple[IndexedKb, ...]:
            found = connection.execute(
                "SELECT kb.uid, kb.name, kb.language, kb.passages AS visible, kb.gaps, "
                "(SELECT COALESCE(SUM(d.passages), 0) FROM document d WHERE d.kb = kb.uid AND d.visible = 0 "
                "AND d.indexed = 1) AS hidden, "
                # Entities have a vector exactly from two passages on, and the index on df answers at once.
                "(SELECT COUNT(*) FROM entity e WHERE e.kb = kb.uid AND e.df > 1) AS entities, "
                "EXISTS (SELECT 1 FROM document d CROSS JOIN passage p ON p.document = d.uid CROSS JOIN assertion a "
                "ON a.passage = p.id WHERE d.kb = kb.uid AND d.visible = 1 AND a.vector IS NOT NULL) AS has_relations "
                "FROM kb WHERE kb.deleted_at IS NULL ORDER BY kb.uid"
            )
            return tuple(
                IndexedKb(
                    uid=KbUid(row["uid"]),
                    name=row["name"],
                    language=row["language"],
                    visible=row["visible"],
                    hidden=row["hidden"],
                    entities=row["entities"],
                    has_relations=bool(row["has_relations"]),
                    gaps=tuple(json.loads(row["gaps"])),
                )
                for row in found
            )

        return await self._database.scan(work)

    async def note_gaps(self, kb: KbUid, collections: Sequence[str]) -> None:
        """Note which collections are incomplete."""
        noted = json.dumps(sorted(collections))
        await self._database.write(
            lambda connection: connection.execute("UPDATE kb SET gaps = ? WHERE uid = ?", (noted, kb))
        )

    async def gaps(self) -> frozenset[str]:
        """Return the collections that are incomplete."""

        def work(connection: sqlite3.Connection) -> frozenset[str]:
            found = connection.execute("SELECT gaps FROM kb WHERE gaps <> '[]' AND deleted_at IS NULL")
            return frozenset(name for row in found for name in json.loads(row[0]))

        return await self._database.read(work)

    async def documents(self, kb: KbUid, *, after: DocumentUid | None, limit: int) -> tuple[IndexedDocument, ...]:
        """Return visible documents in the order of their uids."""

        def work(connection: sqlite3.Connection) -> tuple[IndexedDocument, ...]:
            found = connection.execute(
                "SELECT d.uid, d.labels, d.passages, d.artefacts FROM document d "
                "WHERE d.kb = ? AND d.visible = 1 AND d.uid > ? ORDER BY d.uid LIMIT ?",
                (kb, after or "", limit),
            )
            return tuple(
                IndexedDocument(
                    DocumentUid(row["uid"]),
                    texts(row["labels"]),
                    row["passages"],
                    artefacts(row["artefacts"]),
                )
                for row in found
            )

        return await self._database.scan(work)

    async def passages(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> IndexedPassages:
        """Return passages of a visible document with their vectors."""

        def work(connection: sqlite3.Connection) -> IndexedPassages:
            found = connection.execute(
                f"SELECT {columns.PASSAGE}, p.vector FROM document d CROSS JOIN passage p ON p.document = d.uid "
                "WHERE d.uid = ? AND d.kb = ? AND d.visible = 1 AND p.ordinal > ? ORDER BY p.ordinal LIMIT ?",
                (document, kb, after, limit),
            ).fetchall()
            return IndexedPassages(
                passages=tuple(map(rows.passage, found)), vectors=vectors([row["vector"] for row in found])
            )

        return await self._database.scan(work)

    async def entities(self, kb: KbUid, *, after: EntityId | None, limit: int) -> IndexedEntities:
        """Return entities that have a vector."""

        def work(connection: sqlite3.Connection) -> IndexedEntities:
            found = connection.execute(
                "SELECT e.id, e.vector FROM entity e INDEXED BY entity_kb WHERE e.kb = ? AND e.id > ? "
                "AND e.vector IS NOT NULL ORDER BY e.id LIMIT ?",
                (kb, after or "", limit),
            ).fetchall()
            return IndexedEntities(
                tuple(EntityId(row["id"]) for row in found), vectors([row["vector"] for row in found])
            )

        return await self._database.scan(work)

    async def relations(self, kb: KbUid, *, after: RelationId | None, limit: int) -> IndexedRelations:
        """Return assertions that have a vector."""

        def work(connection: sqlite3.Connection) -> IndexedRelations:
            found = connection.execute(
                "SELECT a.id, a.vector, d.uid, d.labels FROM assertion a CROSS JOIN passage p ON p.id = a.passage "
                "CROSS JOIN document d ON d.uid = p.document WHERE a.id > ? AND d.kb = ? AND d.visible = 1 "
                "AND a.vector IS NOT NULL ORDER BY a.id LIMIT ?",
                (after or "", kb, limit),
            ).fetchall()
            return IndexedRelations(
                relations=tuple(RelationId(row["id"]) for row in found),
                documents=tuple(DocumentUid(row["uid"]) for row in found),
                labels=tuple(texts(row["labels"]) for row in found),
                vectors=vectors([row["vector"] for row in found]),
            )

        return await self._database.scan(work)

    async def count_relations(self, kb: KbUid) -> int:
        """Count assertions that have a vector."""

        def work(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute(
                "SELECT COUNT(*) FROM document d CROSS JOIN passage p ON p.document = d.uid "
                "CROSS JOIN assertion a ON a.passage = p.id "
                "WHERE d.kb = ? AND d.visible = 1 AND a.vector IS NOT NULL",
                (kb,),
            ).fetchone()
            return int(count)

        return await self._database.scan(work)

    async def visible(self, kb: KbUid, documents: Sequence[DocumentUid]) -> Mapping[DocumentUid, tuple[str, ...]]:
        """Return those of ``documents`` that are visible, with their labels."""

        def work(connection: sqlite3.Connection) -> Mapping[DocumentUid, tuple[str, ...]]:
            found = connection.execute(
                "SELECT d.uid, d.labels FROM json_each(?) chosen CROSS JOIN document d ON d.uid = chosen.value "
                "WHERE d.kb = ? AND d.visible = 1",
                (json.dumps(documents), kb),
            )
            return {DocumentUid(row["uid"]): texts(row["labels"]) for row in found}

        return await self._database.scan(work)

    async def known(self, passages: Sequence[PassageId]) -> frozenset[PassageId]:
        """Return those of ``passages`` that there are."""

        def work(connection: sqlite3.Connection) -> frozenset[PassageId]:
            found = connection.execute(
                "SELECT p.id FROM json_each(?) chosen CROSS JOIN passage p ON p.id = chosen.value",
                (json.dumps(passages),),
            )
            return frozenset(PassageId(row["id"]) for row in found)

        return await self._database.scan(work)
