"""Filling an empty store: when it counts as empty, and what is written for a document that a backup holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from atoll.domain.document import JOURNEY, Document, StageProgress, StageState
from atoll.domain.reading import UNTOLD, HowRead
from atoll.errors import Conflict
from atoll.ports.archive import DocumentRecord
from atoll.records.rows.documents import error_json, read_json, replaces_json, stage_values, warnings_json
from atoll.records.rows.values import milliseconds, milliseconds_or_none


def check_unused(documents: int, kbs: int, keys: int, *, changed: int) -> None:
    """Raise Conflict unless there is no more than a first start makes: one empty knowledge base and one key.

    ``changed`` counts knowledge bases that ever held something; admin keys are not among ``keys``.
    """
    if documents or changed or kbs > 1 or keys > 1:
        raise Conflict(
            f"this installation is in use: {documents} documents, {kbs} knowledge bases, {keys} keys; "
            "restore into an empty data directory"
        )


def record_values(record: DocumentRecord) -> dict[str, object]:
    """Return what is kept of a document, beside its change number."""
    document = record.document
    read = document.read
    return {
        "uid": document.uid,
        "kb": document.kb,
        "name": document.name,
        "source": document.source,
        "version": document.version,
        "sha256": document.sha256,
        "labels": sorted(document.labels),
        "metadata_json": json.dumps(dict(document.metadata)),
        "visible": record.visible,
        "indexed": record.visible,
        "status": document.status,
        "replaces": replaces_json(record.replaces),
        "media_type": document.media_type,
        "bytes": document.bytes,
        "pages": document.pages,
        "passages": document.passages,
        "entities": document.entities,
        "warnings_json": warnings_json(document.warnings),
        "error_json": error_json(document.error),
        "created_by": record.created_by,
        "created_at": milliseconds(document.created_at),
        "ready_at": milliseconds_or_none(document.ready_at),
        "artefacts_json": json.dumps(dict(document.artefacts)),
        "pipeline": (read or UNTOLD).pipeline,
        "read_json": read and read_json(HowRead(read.parser, read.why, read.encoding, read.metadata), read.language),
    }


def journey_values(document: Document) -> Iterable[Mapping[str, object]]:
    """Return what is kept of a document's stages; one that is on its way begins its journey anew."""
    # What follows a journey is not restored: the vector index is made from the restored records anyway.
    stages: Iterable[StageProgress] = [each for each in document.stages if each.name in JOURNEY]
    if document.status.is_under_way:
        stages = [StageProgress(stage, StageState.WAITING, 0, 0, 0.0, 0, None) for stage in JOURNEY]
    return [stage_values(each, JOURNEY.index(each.name)) for each in stages]
