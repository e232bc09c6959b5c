"""The record store's content as plain rows, equal in form from both stores: for dumps and for what no port tells."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from tests.support.neo4j_server import Neo4jServer

Row = dict[str, Any]


class Tables(Protocol):
    """Everything that a dump is made of, hidden and deleted documents included."""

    def kbs(self) -> list[Row]:
        """Return uid, tenant, name, language, revision and passages, by tenant and name."""
        ...

    def documents(self, kb: str) -> list[Row]:
        """Return documents by name, bytes, labels and what else tells them apart.

        Labels, metadata, error and warnings are JSON texts.
        """
        ...

    def stages(self, document: str) -> list[tuple[str, str]]:
        """Return name and state of the stages in order."""
        ...

    def chunks(self, document: str) -> dict[str, int]:
        """Return ids and ordinals."""
        ...

    def passages(self, document: str) -> list[Row]:
        """Return passages in order; boxes and headings as lists."""
        ...

    def mentions(self, passage: str) -> list[tuple[Any, ...]]:
        """Return key, surface, type, tf and span of each mention, sorted."""
        ...

    def assertions(self, passage: str) -> list[tuple[Any, ...]]:
        """Return ordinal, keys of head and tail, keywords, description, weight and the vector's size, in order."""
        ...

    def entities(self, kb: str) -> list[tuple[str, int, int | None]]:
        """Return key, df and the vector's size, by key."""
        ...

    def counts(self) -> dict[str, int]:
        """Return how many documents, stages, chunks, passages, entities, mentions and assertions there are."""
        ...

    def vectors(self) -> dict[tuple[str, str, int], np.ndarray]:
        """Return all passage vectors by (kb name, document sha256, ordinal)."""
        ...

    def recount(self) -> list[tuple[str, int, int]]:
        """Return key, df and number of visible passages of each entity where they differ, or the vector does not fit."""
        ...

    def end_leases(self) -> None:
        """Let all leases have run out."""
        ...

    def forget_stage(self, document: str, stage: str) -> None:
        """Remove a stage from the ledger, as a document that was accepted before there was this stage has none."""
        ...

    def forget_pipeline(self, document: str) -> None:
        """Leave a document as it was before the number of its pipeline was noted."""
        ...


class SqliteTables:
    """Tables of a SQLite record store."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def kbs(self) -> list[Row]:
        return [dict(row) for row in self._rows("SELECT * FROM kb ORDER BY tenant, name")]

    def documents(self, kb: str) -> list[Row]:
        found = self._rows("SELECT * FROM document WHERE kb = ?", kb)
        return sorted(({**dict(row), "visible": bool(row["visible"])} for row in found), key=_order)

    def stages(self, document: str) -> list[tuple[str, str]]:
        found = self._rows("SELECT name, state FROM stage WHERE document = ? ORDER BY position", document)
        return [tuple(row) for row in found]

    def chunks(self, document: str) -> dict[str, int]:
        return dict(tuple(row) for row in self._rows("SELECT id, ordinal FROM chunk WHERE document = ?", document))

    def passages(self, document: str) -> list[Row]:
        found = self._rows("SELECT * FROM passage WHERE document = ? ORDER BY ordinal", document)
        return [
            {**dict(row), "boxes": json.loads(row["boxes"]), "headings": json.loads(row["headings"])} for row in found
        ]

    def mentions(self, passage: str) -> list[tuple[Any, ...]]:
        found = self._rows(
            "SELECT e.key, m.surface, m.type, m.tf, m.span_start, m.span_end FROM mention m "
            "JOIN entity e ON e.id = m.entity WHERE m.passage = ?",
            passage,
        )
        return sorted(tuple(row) for row in found)

    def assertions(self, passage: str) -> list[tuple[Any, ...]]:
        found = self._rows(
            "SELECT a.ordinal, h.key, t.key, a.keywords, a.description, a.weight, LENGTH(a.vector) FROM assertion a "
            "JOIN entity h ON h.id = a.head JOIN entity t ON t.id = a.tail WHERE a.passage = ? ORDER BY a.ordinal",
            passage,
        )
        return [(*row[:3], tuple(json.loads(row[3])), *row[4:]) for row in found]

    def entities(self, kb: str) -> list[tuple[str, int, int | None]]:
        found = self._rows("SELECT key, df, LENGTH(vector) FROM entity WHERE kb = ? ORDER BY key", kb)
        return [tuple(row) for row in found]

    def counts(self) -> dict[str, int]:
        tables = ("document", "stage", "chunk", "passage", "entity", "mention", "assertion")
        return {table: self._rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables}

    def vectors(self) -> dict[tuple[str, str, int], np.ndarray]:
        found = self._rows(
            "SELECT kb.name, d.sha256, p.ordinal, p.vector FROM passage p JOIN document d ON d.uid = p.document "
            "JOIN kb ON kb.uid = d.kb"
        )
        return _vectors(tuple(row) for row in found)

    def recount(self) -> list[tuple[str, int, int]]:
        found = self._rows(
            "SELECT e.key, e.df, (SELECT COUNT(*) FROM mention m JOIN document d ON d.uid = m.document "
            "WHERE m.entity = e.id AND d.visible = 1) AS n, e.vector IS NOT NULL AS embedded FROM entity e"
        )
        return [tuple(row)[:3] for row in found if row["df"] != row["n"] or (row["n"] > 1) != bool(row["embedded"])]

    def end_leases(self) -> None:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("UPDATE stage SET lease_until = 0")
        connection.execute("UPDATE lease SET lease_until = 0")
        connection.commit()
        connection.close()

    def forget_stage(self, document: str, stage: str) -> None:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("DELETE FROM stage WHERE document = ? AND name = ?", (document, stage))
        connection.commit()
        connection.close()

    def forget_pipeline(self, document: str) -> None:
        connection = sqlite3.connect(self._path, timeout=10)
        connection.execute("UPDATE document SET pipeline = 3, read = NULL WHERE uid = ?", (document,))
        connection.commit()
        connection.close()


class Neo4jTables:
    """Tables of a Neo4j record store."""

    def __init__(self, server: Neo4jServer) -> None:
        self._rows = server.rows

    def kbs(self) -> list[Row]:
        return [row["k"] for row in self._rows("MATCH (k:Kb) RETURN k {.*} AS k ORDER BY k.tenant, k.name")]

    def documents(self, kb: str) -> list[Row]:
        found = [row["d"] for row in self._rows("MATCH (d:Document {kb: $kb}) RETURN d {.*, .error_json} AS d", kb=kb)]
        documents = [
            {
                **row,
                "labels": json.dumps(row["labels"]),
                "metadata": row["metadata_json"],
                "error": row["error_json"],
                "warnings": row["warnings_json"],
            }
            for row in found
        ]
        return sorted(documents, key=_order)

    def stages(self, document: str) -> list[tuple[str, str]]:
        found = self._rows(
            "MATCH (s:Stage {document: $document}) RETURN s.name AS name, s.state AS state ORDER BY s.position",
            document=document,
        )
        return [(row["name"], row["state"]) for row in found]

    def chunks(self, document: str) -> dict[str, int]:
        found = self._rows("MATCH (c:Chunk {document: $d}) RETURN c.id AS id, c.ordinal AS ordinal", d=document)
        return {row["id"]: row["ordinal"] for row in found}

    def passages(self, document: str) -> list[Row]:
        found = self._rows("MATCH (p:Passage {document: $d}) RETURN p {.*} AS p ORDER BY p.ordinal", d=document)
        return [{**row["p"], "boxes": json.loads(row["p"]["boxes_json"])} for row in found]

    def mentions(self, passage: str) -> list[tuple[Any, ...]]:
        found = self._rows(
            "MATCH (:Passage {id: $id})-[m:MENTIONS]->(e:Entity) "
            "RETURN [e.key, m.surface, m.type, m.tf, m.span_start, m.span_end] AS row",
            id=passage,
        )
        return sorted(tuple(row["row"]) for row in found)

    def assertions(self, passage: str) -> list[tuple[Any, ...]]:
        found = self._rows(
            "MATCH (:Passage {id: $id})<-[:STATED_IN]-(a:Assertion) MATCH (a)-[:HEAD]->(h:Entity) "
            "MATCH (a)-[:TAIL]->(t:Entity) "
            "RETURN [a.ordinal, h.key, t.key, a.keywords, a.description, a.weight, a.vector] AS row ORDER BY a.ordinal",
            id=passage,
        )
        return [(*row["row"][:3], tuple(row["row"][3]), *row["row"][4:6], _size(row["row"][6])) for row in found]

    def entities(self, kb: str) -> list[tuple[str, int, int | None]]:
        found = self._rows("MATCH (e:Entity {kb: $kb}) RETURN [e.key, e.df, e.vector] AS row ORDER BY e.key", kb=kb)
        return [(row["row"][0], row["row"][1], _size(row["row"][2])) for row in found]

    def counts(self) -> dict[str, int]:
        counted = {
            label.lower(): self._rows(f"MATCH (n:{label}) RETURN count(n) AS n")[0]["n"]
            for label in ("Document", "Stage", "Chunk", "Passage", "Entity")
        }
        counted["mention"] = self._rows("MATCH ()-[m:MENTIONS]->() RETURN count(m) AS n")[0]["n"]
        counted["assertion"] = self._rows("MATCH (a:Assertion) RETURN count(a) AS n")[0]["n"]
        return counted

    def vectors(self) -> dict[tuple[str, str, int], np.ndarray]:
        found = self._rows(
            "MATCH (p:Passage)-[:OF]->(d:Document) MATCH (k:Kb {uid: d.kb}) "
            "RETURN [k.name, d.sha256, p.ordinal, p.vector] AS row"
        )
        return _vectors(row["row"] for row in found)

    def recount(self) -> list[tuple[str, int, int]]:
        found = self._rows(
            "MATCH (e:Entity) WITH e, COUNT { (e)<-[:MENTIONS]-(:Passage)-[:OF]->(d:Document) WHERE d.visible } AS n "
            "WHERE e.df <> n OR (n > 1) <> (e.vector IS NOT NULL) RETURN [e.key, e.df, n] AS row"
        )
        return [tuple(row["row"]) for row in found]

    def end_leases(self) -> None:
        self._rows("MATCH (s:Stage|Lease) SET s.lease_until = 0")

    def forget_stage(self, document: str, stage: str) -> None:
        self._rows("MATCH (s:Stage {document: $d, name: $s}) DELETE s", d=document, s=stage)

    def forget_pipeline(self, document: str) -> None:
        self._rows("MATCH (d:Document {uid: $d}) SET d.pipeline = null, d.read_json = null", d=document)


def _size(vector: bytes | None) -> int | None:
    return None if vector is None else len(vector)


def _order(document: Row) -> tuple[object, ...]:
    told = (
        document["name"],
        document["sha256"],
        document["labels"],
        document.get("source") or "",
        not document["visible"],
    )
    return (*told, document["status"], document["metadata"], document["uid"])


def _vectors(found: Iterable[Iterable[Any]]) -> dict[tuple[str, str, int], np.ndarray]:
    return {
        (name, sha256, ordinal): np.frombuffer(vector, dtype="<f2").astype(np.float32)
        for name, sha256, ordinal, vector in found
    }
