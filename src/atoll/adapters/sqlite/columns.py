"""How rows are read and written: their columns, and the condition that a reader sees a document."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from atoll.domain.reader import Reader

DOCUMENT = (
    "d.seq, COALESCE(d.placed, d.seq) AS turn, d.uid, d.kb, d.name, d.source, d.version, d.status, d.media_type, "
    "d.bytes, d.sha256, d.pages, d.passages, "
    "d.entities, d.metadata AS metadata_json, d.labels, d.created_at, d.ready_at, d.error AS error_json, "
    "d.warnings AS warnings_json, d.changed_seq, d.artefacts AS artefacts_json, d.visible, d.indexed, d.replaces, "
    "d.created_by, d.pipeline, d.read AS read_json, "
    "d.other_reading, d.deleted_at IS 0 AS is_new_reading"
)
CHUNK = "c.id, c.document, c.ordinal, c.char_start, c.char_end, c.headings"
PASSAGE = (
    "p.id, p.document, p.ordinal, p.chunk, p.page, p.boxes AS boxes_json, p.char_start, p.char_end, p.text, "
    "p.headings, p.layout AS layout_json"
)
ASSERTION = "a.passage, a.ordinal, a.head, a.tail, a.keywords, a.description, a.weight"
KB = (
    "kb.uid, kb.tenant, kb.name, kb.language, kb.revision, kb.passages, kb.settings AS settings_json, "
    "kb.quota AS quota_json, kb.created_at"
)


def insert(connection: sqlite3.Connection, table: str, values: Mapping[str, object]) -> None:
    """Write one row; lists become JSON, and a name that ends in ``_json`` is a column's without that ending."""
    names = ", ".join(name.removesuffix("_json") for name in values)
    connection.execute(
        f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(values))})",
        [json.dumps(value) if isinstance(value, list) else value for value in values.values()],
    )


def seen_by(reader: Reader) -> tuple[str, tuple[str, ...]]:
    """Return the condition, with its parameters, that the reader holds all labels of document ``d``."""
    if reader.labels is None:
        return "1", ()
    held = json.dumps(sorted(reader.labels))
    return (
        "NOT EXISTS (SELECT 1 FROM json_each(d.labels) WHERE value NOT IN (SELECT value FROM json_each(?)))",
        (held,),
    )


def tuples(connection: sqlite3.Connection, query: str, parameters: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return all rows at once, and as they are: a neighbourhood has thousands."""
    cursor = connection.cursor()
    cursor.row_factory = None
    return cursor.execute(query, parameters).fetchall()
