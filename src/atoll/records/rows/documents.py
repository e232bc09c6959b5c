"""Documents and their stages as both stores keep them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from atoll.domain.document import (
    Document,
    DocumentError,
    DocumentWarning,
    Replaces,
    Stage,
    StageProgress,
    StageState,
    Status,
)
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.reading import PIPELINE, UNTOLD, HowRead, Reading
from atoll.records.amending import Standing
from atoll.records.rows.values import Row, instant, moment, texts

#: What a document that replaces whatever there is has for labels.
_ALL = "*"


def document(row: Row, stages: Sequence[Row] = ()) -> Document:
    """Build a document from its row and the rows of its stages."""
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
        labels=texts(row["labels"]),
        created_at=instant(row["created_at"]),
        ready_at=moment(row["ready_at"]),
        error=error
        and DocumentError(
            type=error["type"], stage=Stage(error["stage"]), page=error["page"], message=error["message"]
        ),
        changed_seq=row["changed_seq"],
        warnings=tuple(DocumentWarning(**warning) for warning in json.loads(row["warnings_json"])),
        stages=tuple(map(stage, sorted(stages, key=lambda each: int(each["position"])))),
        artefacts=artefacts(row["artefacts_json"]),
        read=_reading(row),
        other_reading=row["other_reading"] and DocumentUid(row["other_reading"]),
    )


def _reading(row: Row) -> Reading | None:
    """Return how a document was read; what is not published yet is read by the pipeline of today."""
    if row["read_json"] is None and not row["visible"]:
        return None
    pipeline = (row["pipeline"] or UNTOLD.pipeline) if row["visible"] else PIPELINE
    told = json.loads(row["read_json"] or "{}")
    return Reading(
        pipeline=pipeline,
        parser=told.get("parser", UNTOLD.parser),
        why=told.get("why", UNTOLD.why),
        language=told.get("language", UNTOLD.language),
        encoding=told.get("encoding", UNTOLD.encoding),
        metadata=told.get("metadata", UNTOLD.metadata),
    )


def told_metadata(row: Row) -> dict[str, Any]:
    """Return what the file of a document says of itself, as far as it was read."""
    return dict(json.loads(row["read_json"] or "{}").get("metadata", {}))


def restated(row: Row, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a document whose file says ``told`` of itself from now on; what was given wins."""
    before = told_metadata(row)
    given = {
        key: value
        for key, value in json.loads(row["metadata_json"]).items()
        if key not in before or before[key] != value
    }
    return {**told, **given}


def read_json(how: HowRead, language: str) -> str:
    """Return what a parser told of a document, and the language of its knowledge base, as the stores keep it."""
    told = {"parser": how.parser, "why": how.why, "language": language, "encoding": how.encoding}
    return json.dumps({**told, "metadata": dict(how.metadata)} if how.metadata else told)


def warning_json(type_: str) -> str:
    """Return the piece of ``warnings_json`` that a warning of a type is known by."""
    return f'"type": {json.dumps(type_)}'


def standing(row: Row) -> Standing:
    """Build what an amendment may change of a document."""
    return Standing(
        uid=DocumentUid(row["uid"]),
        labels=texts(row["labels"]),
        metadata=json.loads(row["metadata_json"]),
        name=row["name"],
        source=row["source"],
        sha256=row["sha256"],
        told=told_metadata(row),
    )


def artefacts(text: str | None) -> dict[Stage, str]:
    """Return the keys of stage outputs; a document of an earlier version has none."""
    return {Stage(stage): key for stage, key in json.loads(text or "{}").items()}


def stage(row: Row) -> StageProgress:
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


def stage_values(progress: StageProgress, position: int) -> Mapping[str, object]:
    """Return what is kept of a stage beside its lease."""
    return {
        "name": progress.name,
        "position": position,
        "state": progress.state,
        "done": progress.done,
        "total": progress.total,
        "worked": round(progress.seconds * 1000),
        "attempts": progress.attempts,
        "error": progress.error,
    }


def replaces(text: str | None) -> Replaces | None:
    """Return what a document replaces."""
    if text is None:
        return None
    held = json.loads(text)
    return Replaces(None if held == _ALL else frozenset(held))


def replaces_json(replaced: Replaces | None) -> str | None:
    """Return what a document replaces as the stores keep it."""
    if replaced is None:
        return None
    return json.dumps(_ALL if replaced.labels is None else sorted(replaced.labels))


def warnings_json(warnings: Sequence[DocumentWarning]) -> str:
    """Return warnings as the stores keep them."""
    return json.dumps([asdict(each) for each in warnings])


def error_json(error: DocumentError | None) -> str | None:
    """Return a document's error as the stores keep it."""
    return None if error is None else json.dumps(asdict(error))
