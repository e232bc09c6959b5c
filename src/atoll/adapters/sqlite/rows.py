"""Rows of the record store as domain objects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from atoll.domain.document import (
    Document,
    DocumentError,
    DocumentWarning,
    Stage,
    StageProgress,
    StageState,
    Status,
)
from atoll.domain.entity import Assertion
from atoll.domain.ids import ChunkId, DocumentUid, KbUid, KeyId, PassageId, TenantId
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.page import Box
from atoll.domain.passage import Passage
from atoll.domain.principal import ApiKey, AuditEvent, Role
from atoll.domain.reader import Reader

DOCUMENT_COLUMNS = (
    "d.uid, d.kb, d.name, d.source, d.version, d.status, d.media_type, d.bytes, d.sha256, d.pages, d.passages, "
    "d.entities, d.metadata, d.labels, d.created_at, d.ready_at, d.error, d.warnings, d.changed_seq, d.artefacts"
)
ASSERTION_COLUMNS = "a.passage, a.ordinal, a.head, a.tail, a.keywords, a.description, a.weight"
PASSAGE_COLUMNS = (
    "p.id, p.document, p.ordinal, p.chunk, p.page, p.boxes, p.char_start, p.char_end, p.text, p.headings, p.layout"
)


def moment(milliseconds: int | None) -> datetime | None:
    """Return a time of the store as an aware datetime."""
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)


def instant(milliseconds: int) -> datetime:
    """Return a time that is always set."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """Return a time as the store keeps it."""
    return int(at.timestamp() * 1000)


def document(row: sqlite3.Row, stages: Sequence[sqlite3.Row] = ()) -> Document:
    """Build a document from its row and its stage rows."""
    error = json.loads(row["error"]) if row["error"] else None
    return Document(
        uid=DocumentUid(row["uid"]),
        kb=KbUid(row["kb"]),
        name=row["name"],
        source=row["source"],
        version=row["version"],
        status=Status(row["status"]),
        media_type=row["media_type"],
        bytes=row["bytes"],
        sha256=row["sha256"],
        pages=row["pages"],
        passages=row["passages"],
        entities=row["entities"],
        metadata=json.loads(row["metadata"]),
        labels=tuple(json.loads(row["labels"])),
        created_at=instant(row["created_at"]),
        ready_at=moment(row["ready_at"]),
        error=error
        and DocumentError(
            type=error["type"], stage=Stage(error["stage"]), page=error["page"], message=error["message"]
        ),
        changed_seq=row["changed_seq"],
        warnings=tuple(DocumentWarning(**warning) for warning in json.loads(row["warnings"])),
        stages=tuple(stage(each) for each in stages),
        artefacts=artefacts(row["artefacts"]),
    )


def artefacts(text: str | None) -> dict[Stage, str]:
    """Return the keys of stage outputs from their JSON; a document of an earlier version has none."""
    return {Stage(stage): key for stage, key in json.loads(text or "{}").items()}


def stage(row: sqlite3.Row) -> StageProgress:
    """Build a stage's progress from its row."""
    return StageProgress(
        name=Stage(row["name"]),
        state=StageState(row["state"]),
        done=row["done"],
        total=row["total"],
        seconds=row["worked"] / 1000,
        attempts=row["attempts"],
        error=row["error"],
    )


def passage(row: sqlite3.Row) -> Passage:
    """Build a passage from its row."""
    return Passage(
        id=PassageId(row["id"]),
        document=DocumentUid(row["document"]),
        ordinal=row["ordinal"],
        chunk=ChunkId(row["chunk"]),
        page=row["page"],
        boxes=tuple(Box(*box) for box in orjson.loads(row["boxes"])),
        char_start=row["char_start"],
        char_end=row["char_end"],
        text=row["text"],
        headings=tuple(orjson.loads(row["headings"])),
        layout_json=row["layout"],
    )


def assertion(row: Sequence[Any]) -> Assertion:
    """Build an assertion from its columns."""
    passage, ordinal, head, tail, keywords, description, weight = row
    return Assertion(passage, ordinal, head, tail, tuple(orjson.loads(keywords)), description, weight)


def knowledge_base(row: sqlite3.Row) -> KnowledgeBase:
    """Build a knowledge base from its row with the columns documents and bytes counted in."""
    return KnowledgeBase(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        documents=row["documents"],
        passages=row["passages"],
        bytes=row["bytes"],
        settings=json.loads(row["settings"]),
        quota=json.loads(row["quota"]),
        created_at=instant(row["created_at"]),
    )


def api_key(row: sqlite3.Row) -> ApiKey:
    """Build a key from its row."""
    return ApiKey(
        id=KeyId(row["id"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        role=Role(row["role"]),
        kbs=None if row["kbs"] is None else frozenset(json.loads(row["kbs"])),
        labels=None if row["labels"] is None else frozenset(json.loads(row["labels"])),
        hash=row["hash"],
        created_at=instant(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        last_used_at=moment(row["last_used_at"]),
        revoked_at=moment(row["revoked_at"]),
    )


def audit_event(row: sqlite3.Row) -> AuditEvent:
    """Build an audit event from its row."""
    return AuditEvent(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        at=instant(row["at"]),
        actor=row["actor"],
        action=row["action"],
        object=row["object"],
        result=row["result"],
        request_id=row["request_id"],
        revision=row["revision"],
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
