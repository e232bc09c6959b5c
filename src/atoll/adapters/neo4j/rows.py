"""Nodes of the record store as domain objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atoll.domain.document import (
    Document,
    DocumentError,
    DocumentWarning,
    Stage,
    StageProgress,
    StageState,
    Status,
)
from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import ChunkId, DocumentUid, EntityId, KbUid, KeyId, PassageId, TenantId
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.page import Box
from atoll.domain.passage import Passage
from atoll.domain.principal import ApiKey, AuditEvent, Role

#: That all labels of document ``d`` are among ``$labels``.
SEEN = "($labels IS NULL OR all(label IN d.labels WHERE label IN $labels))"

#: A document ``d`` with its stages, as ``document`` reads it.
DOCUMENT = (
    "d {.uid, .kb, .name, .source, .version, .status, .media_type, .bytes, .sha256, .pages, .passages, .entities, "
    ".metadata_json, .labels, .created_at, .ready_at, .error_json, .warnings_json, .changed_seq, .seq, "
    ".artefacts_json, stages: COLLECT { MATCH (s:Stage {document: d.uid, kb: $kb}) "
    "RETURN s {.name, .position, .state, .done, .total, .worked, .attempts, .error} }}"
)

#: A passage ``p`` as ``passage`` reads it.
PASSAGE = (
    "p {.id, .document, .ordinal, .chunk, .page, .boxes_json, .char_start, .char_end, .text, .headings, .layout_json}"
)

#: A mention ``m`` of entity ``e`` as ``mention`` reads it.
MENTION = "[e.id, e.key, m.surface, m.type, m.tf, m.span_start, m.span_end]"

#: An assertion ``a`` with its ends ``h`` and ``t`` as ``assertion`` reads it, and what finds these.
ASSERTION = "[a.passage, a.ordinal, h.id, t.id, a.keywords, a.description, a.weight]"
ENDS = "MATCH (a)-[:HEAD]->(h:Entity) MATCH (a)-[:TAIL]->(t:Entity) "


def moment(milliseconds: int | None) -> datetime | None:
    """Return a time of the store as an aware datetime."""
    return None if milliseconds is None else instant(milliseconds)


def instant(milliseconds: int) -> datetime:
    """Return a time that is always set."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """Return a time as the store keeps it."""
    return int(at.timestamp() * 1000)


def live_bytes(sha256: str, labels: Sequence[str]) -> str:
    """Return what no two documents of a knowledge base that are not deleted have both."""
    return f"{sha256} {json.dumps(sorted(labels))}"


def document(row: Mapping[str, Any]) -> Document:
    """Build a document with its stages."""
    error = json.loads(row["error_json"]) if row["error_json"] else None
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
        metadata=json.loads(row["metadata_json"]),
        labels=tuple(row["labels"]),
        created_at=instant(row["created_at"]),
        ready_at=moment(row["ready_at"]),
        error=error
        and DocumentError(
            type=error["type"], stage=Stage(error["stage"]), page=error["page"], message=error["message"]
        ),
        changed_seq=row["changed_seq"],
        warnings=tuple(DocumentWarning(**warning) for warning in json.loads(row["warnings_json"])),
        # Sorted here: an ORDER BY in a subquery that is collected was seen to be lost on a cold server.
        stages=tuple(map(stage, sorted(row["stages"], key=lambda each: each["position"]))),
        artefacts=artefacts(row["artefacts_json"]),
    )


def artefacts(text: str | None) -> dict[Stage, str]:
    """Return the keys of stage outputs from their JSON; a document of an earlier version has none."""
    return {Stage(stage): key for stage, key in json.loads(text or "{}").items()}


def stage(row: Mapping[str, Any]) -> StageProgress:
    """Build a stage's progress."""
    return StageProgress(
        name=Stage(row["name"]),
        state=StageState(row["state"]),
        done=row["done"],
        total=row["total"],
        seconds=row["worked"] / 1000,
        attempts=row["attempts"],
        error=row["error"],
    )


def boxes(text: str) -> tuple[Box, ...]:
    """Return boxes from their JSON."""
    return tuple(Box(*box) for box in json.loads(text))


def passage(row: Mapping[str, Any]) -> Passage:
    """Build a passage."""
    return Passage(
        id=PassageId(row["id"]),
        document=DocumentUid(row["document"]),
        ordinal=row["ordinal"],
        chunk=ChunkId(row["chunk"]),
        page=row["page"],
        boxes=boxes(row["boxes_json"]),
        char_start=row["char_start"],
        char_end=row["char_end"],
        text=row["text"],
        headings=tuple(row["headings"]),
        layout_json=row["layout_json"],
    )


def mention(passage: PassageId, row: Sequence[Any]) -> Mention:
    """Build a mention."""
    entity, key, surface, type_, tf, start, end = row
    return Mention(passage, EntityId(entity), key, surface, type_, tf, (start, end))


def assertion(row: Sequence[Any]) -> Assertion:
    """Build an assertion."""
    passage, ordinal, head, tail, keywords, description, weight = row
    return Assertion(
        passage=PassageId(passage),
        ordinal=ordinal,
        head=EntityId(head),
        tail=EntityId(tail),
        keywords=tuple(keywords),
        description=description,
        weight=weight,
    )


def vectors(stored: Sequence[bytes]) -> NDArray[np.float16]:
    """Return fp16 rows as stored, (n, dimensions), a row of zeros for no bytes; (n, 0) when there is no vector."""
    width = max(map(len, stored), default=0)
    joined = b"".join(vector or bytes(width) for vector in stored)
    return np.frombuffer(joined, "<f2").astype(np.float16).reshape(len(stored), width // 2)


def knowledge_base(row: Mapping[str, Any]) -> KnowledgeBase:
    """Build a knowledge base."""
    return KnowledgeBase(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        documents=row["documents"],
        passages=row["passages"],
        bytes=row["bytes"],
        settings=json.loads(row["settings_json"]),
        quota=json.loads(row["quota_json"]),
        created_at=instant(row["created_at"]),
    )


def api_key(row: Mapping[str, Any]) -> ApiKey:
    """Build a key."""
    return ApiKey(
        id=KeyId(row["id"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        role=Role(row["role"]),
        kbs=None if row["kbs"] is None else frozenset(row["kbs"]),
        labels=None if row["labels"] is None else frozenset(row["labels"]),
        hash=row["hash"],
        created_at=instant(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        last_used_at=moment(row["last_used_at"]),
        revoked_at=moment(row["revoked_at"]),
    )


def audit_event(row: Mapping[str, Any]) -> AuditEvent:
    """Build an audit event."""
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
