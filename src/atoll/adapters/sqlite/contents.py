"""Passages and what hangs on them: written hidden, published at once, purged in batches."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.ledger import advance, close_stage
from atoll.adapters.sqlite.rereading import take_place
from atoll.adapters.sqlite.sharing import likely_shared, replaced_by, vectors_wanted
from atoll.adapters.sqlite.transitions import audit, change, check, count_entities, find_row, hide, remove_empty_kb
from atoll.domain.document import StageState, Status
from atoll.domain.ids import DocumentUid, EntityId, KbUid, relation_id
from atoll.domain.reading import PIPELINE
from atoll.ports.contents import ContentBatch, Published, PurgeState, VectorsWanted
from atoll.ports.ledger import Claim
from atoll.records import events


class SqliteContents:
    """Port ``Contents``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def store_batch(self, claim: Claim, batch: ContentBatch, *, next_batch: int, done: int, total: int) -> None:
        """Write one batch of a hidden document."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            if not batch.passages or batch.passages[0].ordinal == 0:
                # An earlier attempt under another configuration may have left other passages.
                _remove_passages(connection, _passage_ids(connection, claim.document))
                connection.execute("DELETE FROM chunk WHERE document = ?", (claim.document,))
            write_contents(connection, claim.kb, claim.document, batch)
            advance(connection, claim, batch=next_batch, done=done, total=total)

        await self._database.write(work)

    async def likely_shared(self, claim: Claim, passages: Mapping[EntityId, int]) -> frozenset[EntityId]:
        """Return the entities that the publish will ask vectors of, as far as can be told."""
        return await self._database.read(lambda connection: likely_shared(connection, claim, passages))

    async def publish(self, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published | VectorsWanted:
        """Make the document visible."""

        def work(connection: sqlite3.Connection) -> Published | VectorsWanted:
            check(connection, claim)
            document = find_row(connection, claim.document)
            tenant = connection.execute("SELECT tenant FROM kb WHERE uid = ?", (claim.kb,)).fetchone()["tenant"]
            replaced = replaced_by(connection, document)
            if replaced is None:
                close_stage(connection, claim, StageState.DONE, units=1)
                hide(connection, document)
                audit(connection, tenant, events.document_superseded(claim.document))
                return Published(revision=0, replaced=(), superseded=True)
            wanted = vectors_wanted(connection, claim, vectors, replaced)
            if wanted:
                return VectorsWanted(wanted)
            close_stage(connection, claim, StageState.DONE, units=1)
            # Up before what is replaced comes off: an entity that both mention stays shared and keeps its vector.
            entities = count_entities(connection, claim.document, 1)
            for uid in replaced:
                old = find_row(connection, uid)
                if document["is_new_reading"]:
                    take_place(connection, document, old)
                else:
                    audit(connection, tenant, events.document_replaced(uid, hide(connection, old)))
            connection.executemany(
                "UPDATE entity SET vector = ? WHERE id = ? AND kb = ? AND df > 1",
                [(vector.tobytes(), entity, claim.kb) for entity, vector in sorted(vectors.items())],
            )
            connection.execute(
                f"UPDATE document SET visible = 1, status = ?, error = NULL, ready_at = {NOW}, entities = ?, "
                "pipeline = ?, changed_seq = ? WHERE uid = ?",
                (Status.READY, entities, PIPELINE, change(connection), claim.document),
            )
            # Last, so that nobody sees the new revision before what it stands for.
            revision = connection.execute(
                "UPDATE kb SET revision = revision + 1, passages = passages + ? WHERE uid = ? RETURNING revision",
                (document["passages"], claim.kb),
            ).fetchone()["revision"]
            audit(connection, tenant, events.document_published(claim.document, revision))
            return Published(revision=revision, replaced=replaced, superseded=False)

        return await self._database.write(work)

    async def purge_state(self, claim: Claim) -> PurgeState:
        """Return whether all old leases have run out."""

        def work(connection: sqlite3.Connection) -> PurgeState:
            row = connection.execute(
                f"SELECT MAX(lease_until) - {NOW} AS left FROM stage WHERE document = ? AND name != ?",
                (claim.document, claim.stage),
            ).fetchone()
            left = max(0, row["left"] or 0) / 1000
            return PurgeState(kb=claim.kb, document=claim.document, quiet=left <= 0, quiet_in_seconds=left)

        return await self._database.read(work)

    async def purge_entities(self, claim: Claim, limit: int) -> Mapping[EntityId, NDArray[np.float16] | None]:
        """Return the entities of the next passages to go, with their vectors."""

        def work(connection: sqlite3.Connection) -> Mapping[EntityId, NDArray[np.float16] | None]:
            check(connection, claim)
            found = connection.execute(
                "SELECT e.id, IIF(kb.deleted_at IS NULL, e.vector, NULL) FROM kb CROSS JOIN entity e "
                "WHERE kb.uid = ? AND +e.kb = kb.uid AND e.id IN (SELECT m.entity FROM mention m "
                "WHERE m.passage IN (SELECT value FROM json_each(?))) ORDER BY e.id",
                (claim.kb, json.dumps(_passage_ids(connection, claim.document, limit))),
            )
            return {EntityId(row[0]): None if row[1] is None else np.frombuffer(row[1], np.float16) for row in found}

        return await self._database.read(work)

    async def purge_batch(self, claim: Claim, limit: int) -> int:
        """Remove up to ``limit`` passages and what hangs on them."""

        def work(connection: sqlite3.Connection) -> int:
            check(connection, claim)
            passages = _passage_ids(connection, claim.document, limit)
            _remove_passages(connection, passages)
            connection.execute("DELETE FROM chunk WHERE document = ?", (claim.document,))
            row = connection.execute("SELECT COUNT(*) FROM passage WHERE document = ?", (claim.document,)).fetchone()
            return int(row[0])

        return await self._database.write(work)

    async def purge_end(self, claim: Claim) -> None:
        """Remove the document and its ledger rows."""

        def work(connection: sqlite3.Connection) -> None:
            check(connection, claim)
            connection.execute("DELETE FROM batch WHERE document = ?", (claim.document,))
            connection.execute("DELETE FROM stage WHERE document = ?", (claim.document,))
            connection.execute("DELETE FROM document WHERE uid = ?", (claim.document,))
            remove_empty_kb(connection, claim.kb)

        await self._database.write(work)


def write_contents(connection: sqlite3.Connection, kb: KbUid, document: DocumentUid, batch: ContentBatch) -> None:
    """Write one batch; what is there of the same passages goes first."""
    connection.executemany(
        "INSERT OR REPLACE INTO chunk (id, document, ordinal, char_start, char_end, headings) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        [(c.id, c.document, c.ordinal, c.char_start, c.char_end, json.dumps(c.headings)) for c in batch.chunks],
    )
    # A batch whose commit was not heard of is written again.
    _remove_passages(connection, [p.id for p in batch.passages])
    connection.executemany(
        "INSERT INTO passage (id, document, ordinal, chunk, page, boxes, char_start, char_end, text, headings, layout, "
        "vector) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                p.id,
                p.document,
                p.ordinal,
                p.chunk,
                p.page,
                json.dumps(p.boxes),
                p.char_start,
                p.char_end,
                p.text,
                json.dumps(p.headings),
                p.layout_json,
                vector.tobytes(),
            )
            for p, vector in zip(batch.passages, batch.vectors, strict=True)
        ],
    )
    # Entity order, so that two workers on the same hubs lock in one order on stores that lock rows.
    mentions = sorted(batch.mentions, key=lambda m: (m.entity, m.passage))
    connection.executemany(
        "INSERT OR IGNORE INTO entity (id, kb, key) VALUES (?, ?, ?)", [(m.entity, kb, m.key) for m in mentions]
    )
    connection.executemany(
        "INSERT INTO mention (passage, entity, document, surface, type, tf, span_start, span_end) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(m.passage, m.entity, document, m.surface, m.type, m.tf, *m.span) for m in mentions],
    )
    connection.executemany(
        "INSERT INTO assertion (id, passage, ordinal, head, tail, keywords, description, weight, vector) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                relation_id(a.passage, a.ordinal),
                a.passage,
                a.ordinal,
                a.head,
                a.tail,
                json.dumps(a.keywords),
                a.description,
                a.weight,
                vector,
            )
            for a, vector in zip(batch.assertions, _assertion_vectors(batch), strict=True)
        ],
    )


def _assertion_vectors(batch: ContentBatch) -> list[bytes | None]:
    if batch.assertion_vectors is None:
        return [None] * len(batch.assertions)
    return [row.tobytes() for row in batch.assertion_vectors]


def _passage_ids(connection: sqlite3.Connection, document: DocumentUid, limit: int = -1) -> list[str]:
    found = connection.execute("SELECT id FROM passage WHERE document = ? ORDER BY ordinal LIMIT ?", (document, limit))
    return [row["id"] for row in found]


def _remove_passages(connection: sqlite3.Connection, passages: list[str]) -> None:
    if not passages:
        return
    ids = json.dumps(passages)
    chosen = "(SELECT value FROM json_each(?))"
    entities = json.dumps(
        [
            row["entity"]
            for row in connection.execute(f"SELECT DISTINCT entity FROM mention WHERE passage IN {chosen}", (ids,))
        ]
    )
    connection.execute(f"DELETE FROM assertion WHERE passage IN {chosen}", (ids,))
    connection.execute(f"DELETE FROM mention WHERE passage IN {chosen}", (ids,))
    connection.execute(f"DELETE FROM passage WHERE id IN {chosen}", (ids,))
    connection.execute(
        f"DELETE FROM entity WHERE id IN {chosen} AND NOT EXISTS (SELECT 1 FROM mention m WHERE m.entity = entity.id)",
        (entities,),
    )
