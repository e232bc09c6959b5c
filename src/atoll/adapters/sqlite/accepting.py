"""Accepting documents on SQLite: facts for the rules of ``atoll.records.admission``, and what these decide."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.amending import amend
from atoll.adapters.sqlite.database import NOW
from atoll.adapters.sqlite.transitions import (
    audit,
    change,
    fence,
    find_row,
    hide,
    next_turn,
    now,
    renew_journey,
    set_status,
)
from atoll.adapters.sqlite.versions import highest_version
from atoll.domain.document import JOURNEY, Namesake, NewDocument, Replaces, StageState, Status
from atoll.domain.ids import BatchId, DocumentUid, KbUid, new_uid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records import events
from atoll.records.admission import Room, check_room
from atoll.records.placing import Known, Place, Promotion, Settled, replaceable, settle
from atoll.records.quota import check_tenant
from atoll.records.rows.documents import replaces, replaces_json, standing
from atoll.records.versions import versions_of


def accept(
    connection: sqlite3.Connection,
    uploader: Reader,
    documents: Sequence[NewDocument],
    *,
    replace: bool,
    actor: Actor,
    most_waiting: int,
    kb: sqlite3.Row,
) -> tuple[BatchId, Settled, tuple[Namesake, ...]]:
    """Write what is new of an upload into the knowledge base ``kb``. Raises QuotaExceeded, Conflict, Forbidden."""
    check_room(_room(connection, kb, most_waiting), documents, uploader)
    check_tenant(*_tenant(connection, kb["tenant"]), documents)
    settled = settle(uploader, documents, _known(connection, uploader, documents), replace=replace)
    namesakes = _namesakes(connection, uploader, settled.firsts)
    covered = replaceable(uploader)
    highest = [highest_version(connection, uploader, new) for new in settled.fresh]
    for new, version in zip(settled.fresh, versions_of(settled.fresh, highest), strict=True):
        _insert(connection, uploader.kb, new, covered if replace else None, version=version, actor=actor)
        audit(connection, kb["tenant"], events.document_accepted(actor, new.uid, kb["revision"]))
    for uid, amendment in settled.amendments:
        row = find_row(connection, uid)
        amend(connection, uploader, row, amendment, tenant=kb["tenant"], actor=actor)
    for promotion in settled.promotions:
        _promote(connection, uploader, kb["tenant"], promotion, covered)
    for uid in settled.again:
        queue_again(connection, uid)
    batch = BatchId(new_uid())
    connection.executemany(
        "INSERT INTO batch (id, kb, document) VALUES (?, ?, ?)",
        [(batch, uploader.kb, uid) for uid in settled.documents],
    )
    return batch, settled, namesakes


def queue_again(connection: sqlite3.Connection, document: DocumentUid) -> None:
    """Let the document's journey begin anew."""
    # From the first stage on: stages find their artefacts and call no model again.
    fence(connection, document)
    renew_journey(connection, document)
    connection.execute(
        "UPDATE stage SET state = ?, batch = 0, failures = 0, not_before = 0, rung_at = 0, error = NULL "
        "WHERE document = ?",
        (StageState.WAITING, document),
    )
    connection.execute("UPDATE document SET error = NULL, returns = 0 WHERE uid = ?", (document,))
    set_status(connection, document, Status.QUEUED)


def _room(connection: sqlite3.Connection, kb: sqlite3.Row, most_waiting: int) -> Room:
    waiting = connection.execute(
        "SELECT COUNT(*) AS n FROM document WHERE kb = ? AND deleted_at IS NULL AND status IN ('queued', 'processing')",
        (kb["uid"],),
    ).fetchone()["n"]
    quota = json.loads(kb["quota_json"])
    held = {}
    if quota:
        held = dict(
            connection.execute(
                "SELECT COUNT(*) AS documents, COALESCE(SUM(bytes), 0) AS bytes FROM document "
                "WHERE kb = ? AND deleted_at IS NULL",
                (kb["uid"],),
            ).fetchone()
        )
    return Room(waiting=waiting, most_waiting=most_waiting, held=held, quota=quota)


def _tenant(connection: sqlite3.Connection, tenant: str) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what the tenant holds in all its knowledge bases, counted where there is a quota, and its quota."""
    quota = json.loads(connection.execute("SELECT quota FROM tenant WHERE id = ?", (tenant,)).fetchone()["quota"])
    held = {}
    if quota.keys() & {"documents", "bytes"}:
        held = dict(
            connection.execute(
                "SELECT COUNT(*) AS documents, COALESCE(SUM(d.bytes), 0) AS bytes FROM kb "
                "JOIN document d ON d.kb = kb.uid AND d.deleted_at IS NULL "
                "WHERE kb.tenant = ? AND kb.deleted_at IS NULL",
                (tenant,),
            ).fetchone()
        )
    return held, quota


def _known(connection: sqlite3.Connection, uploader: Reader, documents: Sequence[NewDocument]) -> list[Known]:
    seen, values = columns.seen_by(uploader)
    places = {(new.source, new.name) for new in documents}
    found = connection.execute(
        f"SELECT {columns.DOCUMENT} FROM json_each(?) chosen CROSS JOIN document d ON d.kb = ? "
        "AND d.name = chosen.value ->> 1 AND d.source IS chosen.value ->> 0 "
        f"WHERE d.deleted_at IS NULL AND {seen} ORDER BY d.seq",
        (json.dumps(list(places)), uploader.kb, *values),
    )
    return [
        Known(standing(row), Status(row["status"]), bool(row["visible"]), row["turn"], replaces(row["replaces"]))
        for row in found
    ]


def _namesakes(connection: sqlite3.Connection, uploader: Reader, places: Sequence[Place]) -> tuple[Namesake, ...]:
    """Return the latest document of each place's name at another source."""
    seen, values = columns.seen_by(uploader)
    found = []
    for source, name in places:
        row = connection.execute(
            "SELECT d.uid, d.source FROM document d WHERE d.kb = ? AND d.name = ? AND d.source IS NOT ? "
            f"AND d.deleted_at IS NULL AND {seen} ORDER BY COALESCE(d.placed, d.seq) DESC LIMIT 1",
            (uploader.kb, name, source, *values),
        ).fetchone()
        if row is not None:
            found.append(Namesake(name, row["source"], DocumentUid(row["uid"])))
    return tuple(found)


def _promote(
    connection: sqlite3.Connection, uploader: Reader, tenant: str, promotion: Promotion, covered: Replaces
) -> None:
    """Make a known document the latest of its place, and hide what it replaces."""
    promoted = standing(find_row(connection, promotion.document))
    connection.execute(
        "UPDATE document SET placed = ?, version = ?, replaces = IIF(?, ?, replaces), changed_seq = ? WHERE uid = ?",
        (
            next_turn(connection),
            *versions_of([promoted], [highest_version(connection, uploader, promoted, but=promoted.uid)]),
            promotion.replaces,
            replaces_json(covered),
            change(connection),
            promoted.uid,
        ),
    )
    for uid in promotion.gone:
        audit(connection, tenant, events.document_replaced(uid, hide(connection, find_row(connection, uid))))


def _insert(
    connection: sqlite3.Connection, kb: KbUid, new: NewDocument, covered: Replaces | None, *, version: int, actor: Actor
) -> None:
    columns.insert(
        connection,
        "document",
        {
            "uid": new.uid,
            "kb": kb,
            "name": new.name,
            "source": new.source,
            "version": version,
            "sha256": new.sha256,
            "labels": sorted(new.labels or ()),
            "metadata": json.dumps(dict(new.metadata or {})),
            "status": Status.QUEUED,
            "replaces": replaces_json(covered),
            "media_type": new.media_type,
            "bytes": new.bytes,
            "created_by": actor.subject,
            "created_at": now(connection),
            "changed_seq": change(connection),
        },
    )
    # The gateway rings right after this transaction; the reconciler need not ring as well.
    connection.executemany(
        f"INSERT INTO stage (document, name, position, state, rung_at) VALUES (?, ?, ?, ?, {NOW})",
        [(new.uid, stage, position, StageState.WAITING) for position, stage in enumerate(JOURNEY)],
    )
