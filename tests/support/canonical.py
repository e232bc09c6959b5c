"""One dump that says what "the same" means: everything Atoll keeps, up to random uids and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from atoll.domain.ids import DocumentUid, KbUid
from atoll.ports.graph_index import GraphIndex
from atoll.ports.page_index import PageIndex
from atoll.ports.vectors import VectorIndex
from tests.support.tables import SqliteTables, Tables

#: Outputs that depend on which other documents were on their way at the same time: vectors of names that are shared.
_BY_CHANCE = {"names", "all-names-wanted"}


class Indexes(VectorIndex, GraphIndex, Protocol):
    """The derived indexes as one object."""


async def dump(
    records: Path | Tables, blobs: Path, vectors: Indexes, pages: PageIndex | None = None
) -> dict[str, object]:
    """Return the canonical content of all stores; vectors by presence and shape. A path is a SQLite record store."""
    tables = _tables(records)
    content: dict[str, object] = {
        kb["name"]: {
            "language": kb["language"],
            "passages": kb["passages"],
            "documents": [
                await _document(tables, kb, row, blobs, vectors, pages) for row in tables.documents(kb["uid"])
            ],
            "entities": tables.entities(kb["uid"]),
            "points": await vectors.count(KbUid(kb["uid"])),
            "graph_points": await vectors.count_graph(KbUid(kb["uid"])),
            "page_points": 0 if pages is None else await pages.count(KbUid(kb["uid"])),
        }
        for kb in tables.kbs()
    }
    content["rows"] = tables.counts()
    content["recount"] = tables.recount()
    content["folders"] = sum(1 for _ in blobs.glob("*/*")) if blobs.exists() else 0
    content["incoming"] = sum(1 for _ in blobs.glob(".incoming/*"))
    return content


def embeddings(records: Path | Tables) -> dict[tuple[str, str, int], np.ndarray]:
    """Return all passage vectors by (kb name, document sha256, ordinal)."""
    return _tables(records).vectors()


def _tables(records: Path | Tables) -> Tables:
    return SqliteTables(records) if isinstance(records, Path) else records


async def _document(
    tables: Tables, kb: dict[str, Any], row: dict[str, Any], blobs: Path, vectors: Indexes, pages: PageIndex | None
) -> dict[str, object]:
    uid = row["uid"]
    chunks = tables.chunks(uid)
    passages = [
        {
            "page": p["page"],
            "boxes": p["boxes"],
            "span": (p["char_start"], p["char_end"]),
            "text": p["text"],
            "headings": p["headings"],
            "chunk": chunks[p["chunk"]],
            "vector": len(p["vector"]),
            "mentions": tables.mentions(p["id"]),
            "assertions": tables.assertions(p["id"]),
        }
        for p in tables.passages(uid)
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
        "stages": tables.stages(uid),
        "chunks": len(chunks),
        "passages": passages,
        "points": await vectors.count(KbUid(kb["uid"]), [DocumentUid(uid)]),
        "page_points": 0 if pages is None else await pages.count(KbUid(kb["uid"]), [DocumentUid(uid)]),
        "files": sorted(
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.parent.name != "pages" and path.name not in _BY_CHANCE
        ),
    }
