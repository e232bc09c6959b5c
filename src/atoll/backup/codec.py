"""Records as JSON and back. Vectors are base64 of little-endian fp16, rows one after the other."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from atoll.domain.entity import Assertion, Mention
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import ApiKey, AuditEvent
from atoll.domain.tenant import Tenant
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbRecord
from atoll.ports.contents import ContentBatch

#: What stands for the labels that a document replaces when it replaces whatever there is.
_ALL = "*"

#: The knowledge bases of a key by id. Backups of earlier versions have names, under ``kbs``.
_KB_IDS = "kb_ids"

_DOCUMENT = TypeAdapter(DocumentRecord)
_EVENT = TypeAdapter(AuditEvent)
_TENANT = TypeAdapter(Tenant)
_KB = TypeAdapter(KbRecord)
_KEY = TypeAdapter(ApiKey)
_CHUNKS = TypeAdapter(tuple[Chunk, ...])
_PASSAGES = TypeAdapter(tuple[Passage, ...])
_MENTIONS = TypeAdapter(tuple[Mention, ...])
_ASSERTIONS = TypeAdapter(tuple[Assertion, ...])


def dump_accounts(accounts: Accounts) -> list[dict[str, Any]]:
    """Return one object a tenant, key and knowledge base, and one for the embedding."""
    keys = [_dump_key(key) for key in accounts.keys]
    return [
        *({"kind": "tenant", **_TENANT.dump_python(each, mode="json")} for each in accounts.tenants),
        *({"kind": "kb", **_KB.dump_python(each, mode="json")} for each in accounts.kbs),
        *({"kind": "key", **key} for key in keys),
        {"kind": "embedding", "fingerprint": accounts.embedding},
    ]


def load_accounts(values: list[dict[str, Any]]) -> Accounts:
    """Return what ``dump_accounts`` was given."""
    found: dict[str, list[dict[str, Any]]] = {"tenant": [], "kb": [], "key": [], "embedding": []}
    for value in values:
        found[value.pop("kind")].append(value)
    kbs = tuple(map(_KB.validate_python, found["kb"]))
    return Accounts(
        tenants=tuple(map(_TENANT.validate_python, found["tenant"])),
        keys=tuple(_load_key(key, kbs) for key in found["key"]),
        kbs=kbs,
        embedding=found["embedding"][0]["fingerprint"],
    )


def dump_document(record: DocumentRecord) -> Any:
    """Return a document as JSON values."""
    replaces: str | list[str] | None = None if record.replaces is None else _ALL
    if record.replaces is not None and record.replaces.labels is not None:
        replaces = sorted(record.replaces.labels)
    return {**_DOCUMENT.dump_python(record, mode="json"), "replaces": replaces}


def load_document(value: Any) -> DocumentRecord:
    """Return what ``dump_document`` was given."""
    replaces = value["replaces"]
    if replaces is not None:
        replaces = {"labels": None if replaces == _ALL else replaces}
    return _DOCUMENT.validate_python({**value, "replaces": replaces})


def dump_event(event: AuditEvent) -> Any:
    """Return an audit event as JSON values."""
    return _EVENT.dump_python(event, mode="json")


def load_event(value: Any) -> AuditEvent:
    """Return what ``dump_event`` was given."""
    return _EVENT.validate_python(value)


def dump_contents(batch: ContentBatch) -> dict[str, Any]:
    """Return passages with what belongs to them as JSON values."""
    return {
        "chunks": _CHUNKS.dump_python(tuple(batch.chunks), mode="json"),
        "passages": _PASSAGES.dump_python(tuple(batch.passages), mode="json"),
        "vectors": _packed(batch.vectors),
        "mentions": [mention._asdict() for mention in batch.mentions],
        "assertions": [assertion._asdict() for assertion in batch.assertions],
        "assertion_vectors": None if batch.assertion_vectors is None else _packed(batch.assertion_vectors),
    }


def load_contents(value: Mapping[str, Any]) -> ContentBatch:
    """Return what ``dump_contents`` was given."""
    return ContentBatch(
        chunks=_CHUNKS.validate_python(value["chunks"]),
        passages=_PASSAGES.validate_python(value["passages"]),
        vectors=_unpacked(value["vectors"]),
        mentions=_MENTIONS.validate_python(value["mentions"]),
        assertions=_ASSERTIONS.validate_python(value["assertions"]),
        assertion_vectors=None if value["assertion_vectors"] is None else _unpacked(value["assertion_vectors"]),
    )


def dump_entities(entities: EntityVectors) -> dict[str, Any]:
    """Return entity vectors as JSON values."""
    return {"keys": entities.keys, "vectors": _packed(entities.vectors)}


def load_entities(value: Mapping[str, Any]) -> EntityVectors:
    """Return what ``dump_entities`` was given."""
    return EntityVectors(tuple(value["keys"]), _unpacked(value["vectors"]))


def _dump_key(key: ApiKey) -> dict[str, Any]:
    values = {name: _listed(value) for name, value in _KEY.dump_python(key).items()}
    return {**values, "hash": key.hash.hex(), _KB_IDS: values.pop("kbs")}


def _load_key(value: dict[str, Any], kbs: tuple[KbRecord, ...]) -> ApiKey:
    if _KB_IDS in value:
        value["kbs"] = value.pop(_KB_IDS)
    elif value["kbs"] is not None:
        value["kbs"] = [kb.uid for kb in kbs if kb.tenant == value["tenant"] and kb.name in value["kbs"]]
    return _KEY.validate_python({**value, "hash": bytes.fromhex(value["hash"])})


def _listed(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _packed(rows: NDArray[np.float16]) -> dict[str, Any]:
    return {"shape": rows.shape, "fp16": base64.b64encode(np.ascontiguousarray(rows, dtype="<f2").tobytes()).decode()}


def _unpacked(value: Mapping[str, Any]) -> NDArray[np.float16]:
    rows = np.frombuffer(base64.b64decode(value["fp16"]), dtype="<f2")
    return rows.reshape(value["shape"]).astype(np.float16)
