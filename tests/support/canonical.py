"""One dump that says what "the same" means: everything Atoll keeps, up to random uids and times."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np

from atoll.domain.ids import DocumentUid, KbUid
from atoll.ports.page_index import PageIndex
from atoll.ports.vectors import VectorIndex

_HIDDEN_OR_LEFT = "SELECT COUNT(*) FROM {table}"


async def dump(records: Path, blobs: Path, vectors: VectorIndex, pages: PageIndex | None = None) -> dict[str, object]:
    """Return the canonical content of all stores; vectors by presence and shape."""
    with sqlite3.connect(f"file:{records}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        kbs = connection.execute("SELECT * FROM kb ORDER BY tenant, name").fetchall()
        content: dict[str, object] = {
            kb["name"]: {
                "language": kb["language"],
                "passages": kb["passages"],
                "documents": [
                    await _document(connection, kb, row, blobs, vectors, pages) for row in _documents(connection, kb)
                ],
                "entities": [
                    tuple(row)
                    for row in connection.execute("SELECT key, df FROM entity WHERE kb = ? ORDER BY key", (kb["uid"],))
                ],
                "points": await vectors.count(KbUid(kb["uid"])),
                "page points": 0 if pages is None else await pages.count(KbUid(kb["uid"])),
            }
            for kb in kbs
        }
        content["rows"] = {
            table: connection.execute(_HIDDEN_OR_LEFT.format(table=table)).fetchone()[0]
            for table in ("document", "stage", "chunk", "passage", "entity", "mention", "assertion")
        }
    content["folders"] = sum(1 for _ in blobs.glob("*/*")) if blobs.exists() else 0
    content["incoming"] = sum(1 for _ in blobs.glob(".incoming/*"))
    return content


def embeddings(records: Path) -> dict[tuple[str, str, int], np.ndarray]:
    """Return all passage vectors by (kb name, document sha256, ordinal)."""
    with sqlite3.connect(f"file:{records}?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT kb.name, d.sha256, p.ordinal, p.vector FROM passage p JOIN document d ON d.uid = p.document "
            "JOIN kb ON kb.uid = d.kb"
        )
        return {(row[0], row[1], row[2]): np.frombuffer(row[3], dtype="<f2").astype(np.float32) for row in found}


def _documents(connection: sqlite3.Connection, kb: sqlite3.Row) -> list[sqlite3.Row]:
    return connection.execute(
        "SELECT * FROM document WHERE kb = ? ORDER BY name, sha256, labels", (kb["uid"],)
    ).fetchall()


async def _document(
    connection: sqlite3.Connection,
    kb: sqlite3.Row,
    row: sqlite3.Row,
    blobs: Path,
    vectors: VectorIndex,
    pages: PageIndex | None,
) -> dict[str, object]:
    uid = row["uid"]
    chunks = {
        chunk["id"]: chunk["ordinal"]
        for chunk in connection.execute("SELECT id, ordinal FROM chunk WHERE document = ?", (uid,))
    }
    passages = [
        {
            "page": p["page"],
            "boxes": json.loads(p["boxes"]),
            "span": (p["char_start"], p["char_end"]),
            "text": p["text"],
            "headings": json.loads(p["headings"]),
            "chunk": chunks[p["chunk"]],
            "vector": len(p["vector"]),
            "mentions": sorted(
                tuple(m)
                for m in connection.execute(
                    "SELECT e.key, m.surface, m.type, m.tf, m.span_start, m.span_end FROM mention m "
                    "JOIN entity e ON e.id = m.entity WHERE m.passage = ?",
                    (p["id"],),
                )
            ),
        }
        for p in connection.execute("SELECT * FROM passage WHERE document = ? ORDER BY ordinal", (uid,))
    ]
    folder = blobs / kb["uid"] / uid
    return {
        "name": row["name"],
        "sha256": row["sha256"],
        "status": row["status"],
        "visible": row["visible"],
        "labels": row["labels"],
        "metadata": row["metadata"],
        "counts": (row["pages"], row["passages"], row["entities"], row["bytes"]),
        "error": row["error"],
        "warnings": row["warnings"],
        "stages": [
            tuple(s)
            for s in connection.execute("SELECT name, state FROM stage WHERE document = ? ORDER BY position", (uid,))
        ],
        "chunks": len(chunks),
        "passages": passages,
        "points": await vectors.count(KbUid(kb["uid"]), [DocumentUid(uid)]),
        "page points": 0 if pages is None else await pages.count(KbUid(kb["uid"]), [DocumentUid(uid)]),
        "files": sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.parent.name != "pages"
        ),
    }
