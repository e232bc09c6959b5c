"""The facts that versions are decided from, on SQLite."""

from __future__ import annotations

import sqlite3

from atoll.adapters.sqlite import columns
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader
from atoll.records.versions import Placed, numbered_among


def highest_version(
    connection: sqlite3.Connection, reader: Reader, document: Placed, *, but: DocumentUid | None = None
) -> int:
    """Return the highest version at a document's place that it is counted among, 0 without one; ``but`` is left out."""
    seen, values = columns.seen_by(numbered_among(reader, document.labels))
    row = connection.execute(
        "SELECT COALESCE(MAX(d.version), 0) AS version FROM document d "
        f"WHERE d.kb = ? AND d.name = ? AND d.source IS ? AND d.uid IS NOT ? AND d.deleted_at IS NULL AND {seen}",
        (reader.kb, document.name, document.source, but, *values),
    ).fetchone()
    return int(row["version"])
