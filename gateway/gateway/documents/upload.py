"""Accepting an upload: stream to disk, sync, record, answer. In this order, for promise P2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from atoll.access.admit import KbAccess
from atoll.access.authorize import sees
from atoll.domain import media
from atoll.domain.document import Accepted, NewDocument
from atoll.domain.ids import DocumentUid, new_uid
from atoll.errors import BadInput, DocumentTooLarge, Forbidden, UnsupportedMediaType
from atoll.ports.blobs import IncomingFile, Intake
from gateway.documents.form import Field, FileData, FileEnd, FileStart, FormReader
from gateway.documents.names import check_metadata, clean_labels, clean_name, clean_source
from gateway.documents.schemas import TextsIn
from gateway.errors import invalid
from gateway.middleware import set_body_limit
from gateway.runtime import Runtime

_FORM_OVERHEAD_BYTES = 2**20
#: Bytes that are written at a time: large enough that threads and calls cost little.
_WRITE_BYTES = 512 * 1024
#: JSON lies in memory as a whole; longer texts are sent as files.
_MAX_JSON_BYTES = 32 * 2**20
_FILE_FIELD = "file"
#: Media types that a text sent as JSON may have by its name; every other name is plain text.
_TEXTS = frozenset({media.TEXT, media.MARKDOWN, media.HTML})


@dataclass(slots=True)
class _Upload:
    """What has arrived so far."""

    documents: list[NewDocument] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    replace: bool = False
    bytes: int = 0


_Reader = Callable[[Request, Intake, Runtime], Awaitable[_Upload]]


async def accept(request: Request, access: KbAccess, live: Runtime) -> Accepted:
    """Read the request's documents and accept them all, or none.

    Raises:
        UnsupportedMediaType: neither a form nor JSON, or a file of a kind that nothing reads.
        DocumentTooLarge, StorageFull, BadInput: as their names say; nothing is left behind.
        Forbidden: a label that the key does not hold.
        QuotaExceeded, NotFound: as `Catalogue.accept`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with live.uploads.enter():
            return await _take(request, access, live, _read_form)
    if kind == "application/json":
        async with live.json_uploads.enter(), live.uploads.enter():
            return await _take(request, access, live, _read_json)
    raise UnsupportedMediaType("send documents as multipart/form-data (field `file`) or as application/json")


async def _take(request: Request, access: KbAccess, live: Runtime, read: _Reader) -> Accepted:
    intake = await live.ports.blobs.receive(access.kb)
    try:
        upload = await read(request, intake, live)
        _check_labels(upload.documents, access)
    except BaseException:  # also when the client went away: nothing stays
        await asyncio.shield(intake.settle(()))
        raise
    # From here on nobody's impatience may separate files from their record.
    commit = asyncio.create_task(_commit(intake, upload, access, live))
    live.commits.add(commit)
    commit.add_done_callback(live.commits.discard)
    accepted = await asyncio.shield(commit)
    live.ringer.ring([document.uid for document in accepted.documents])
    fresh = {document.uid for document in upload.documents} & {document.uid for document in accepted.documents}
    live.metrics.uploaded(new=len(fresh), duplicates=len(accepted.duplicates), size=upload.bytes)
    return accepted


async def _commit(intake: Intake, upload: _Upload, access: KbAccess, live: Runtime) -> Accepted:
    kept: tuple[DocumentUid, ...] = ()
    try:
        await intake.keep()
        accepted = await live.ports.catalogue.accept(
            access.kb, upload.documents, replace=upload.replace, labels=access.labels, actor=access.actor
        )
        kept = tuple(document.uid for document in accepted.documents)
        return accepted
    finally:
        await intake.settle(kept)


async def _read_form(request: Request, intake: Intake, live: Runtime) -> _Upload:
    limits = live.ports.limits
    set_body_limit(request.scope, limits.max_upload_bytes + _FORM_OVERHEAD_BYTES)
    reader = FormReader(request.headers["content-type"], file_field=_FILE_FIELD)
    upload = _Upload()
    writer: _FileWriter | None = None
    async for chunk in _in_blocks(request.stream()):
        for event in reader.feed(chunk):
            match event:
                case FileStart(name):
                    if len(upload.documents) >= limits.max_documents_per_upload:
                        raise BadInput(f"an upload holds at most {limits.max_documents_per_upload} files; split it")
                    writer = await _FileWriter.open(intake, clean_name(name))
                case FileData(data) if writer is not None:
                    upload.bytes += len(data)
                    if upload.bytes > limits.max_upload_bytes:
                        raise DocumentTooLarge(f"an upload has at most {limits.max_upload_bytes // 2**20} MiB")
                    await writer.write(data)
                case FileEnd() if writer is not None:
                    upload.documents.append(await writer.close())
                    writer = None
                case Field(name, value):
                    _note_field(upload, name, value)
    reader.close()
    return _with_fields(upload)


async def _read_json(request: Request, intake: Intake, live: Runtime) -> _Upload:
    limits = live.ports.limits
    set_body_limit(request.scope, min(limits.max_upload_bytes, _MAX_JSON_BYTES))
    try:
        sent = TextsIn.model_validate(orjson.loads(await request.body()))
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not JSON: {error}") from error
    except ValidationError as error:
        raise invalid(error.errors()) from error
    if len(sent.documents) > limits.max_documents_per_upload:
        raise BadInput(f"an upload holds at most {limits.max_documents_per_upload} documents; split it")
    upload = _Upload(replace=sent.replace)
    for text in sent.documents:
        named = media.ACCEPTED.get(_suffix(text.name), media.TEXT)
        writer = await _FileWriter.open(
            intake, clean_name(text.name), media_type=named if named in _TEXTS else media.TEXT
        )
        await writer.write(text.text.encode())
        document = await writer.close()
        upload.bytes += document.bytes
        upload.documents.append(
            replace(
                document,
                source=clean_source(text.source),
                labels=clean_labels(text.labels),
                metadata=check_metadata(text.metadata),
            )
        )
    return upload


class _FileWriter:
    """One file on its way to disk: told what it is by its first bytes, before the rest is taken."""

    def __init__(self, file: IncomingFile, uid: DocumentUid, name: str, media_type: str | None) -> None:
        self._file = file
        self._uid = uid
        self._name = name
        self._media_type = media_type
        self._waiting = bytearray()
        self._bytes = 0

    @classmethod
    async def open(cls, intake: Intake, name: str, *, media_type: str | None = None) -> _FileWriter:
        """Start a file; without a media type its first bytes tell."""
        uid = DocumentUid(new_uid())
        return cls(await intake.open(uid), uid, name, media_type)

    async def write(self, data: bytes) -> None:
        """Append bytes. Raises UnsupportedMediaType as soon as it is known."""
        self._waiting += data
        self._bytes += len(data)
        if len(self._waiting) >= _WRITE_BYTES:
            await self._flush()

    async def close(self) -> NewDocument:
        """End the file. Raises BadInput when it is empty."""
        if not self._bytes:
            raise BadInput(f"{self._name} is empty")
        media_type = await self._flush()
        stored = await self._file.close()
        return NewDocument(
            uid=self._uid,
            name=self._name,
            source=None,
            media_type=media_type,
            bytes=stored.bytes,
            sha256=stored.sha256,
            labels=(),
            metadata={},
        )

    async def _flush(self) -> str:
        if self._media_type is None:
            self._media_type = media.sniff(self._name, bytes(self._waiting[: media.HEAD_BYTES]))
        if self._waiting:
            await self._file.write(bytes(self._waiting))
            self._waiting.clear()
        return self._media_type


async def _in_blocks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join small pieces, so that parsing does not start anew for each."""
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= _WRITE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


def _note_field(upload: _Upload, name: str, value: str) -> None:
    if name == "labels":
        upload.labels += value.split(",")
    elif name not in {"metadata", "replace", "source"}:
        raise BadInput(f"the form has a field {name[:64]!r}; known are file, metadata, labels, replace, source")
    elif name in upload.fields:
        raise BadInput(f"the form has the field {name} twice")
    else:
        upload.fields[name] = value


def _with_fields(upload: _Upload) -> _Upload:
    if not upload.documents:
        raise BadInput("the form has no file; send at least one field `file`")
    labels, metadata = clean_labels(upload.labels), _metadata(upload.fields.get("metadata"))
    source = clean_source(upload.fields.get("source"))
    upload.replace = _boolean(upload.fields.get("replace", "false"))
    upload.documents = [
        replace(document, labels=labels, metadata=metadata, source=source) for document in upload.documents
    ]
    return upload


def _metadata(value: str | None) -> Mapping[str, Any]:
    if not value:
        return {}
    try:
        return check_metadata(orjson.loads(value))
    except orjson.JSONDecodeError as error:
        raise BadInput(f"metadata must be a JSON object: {error}") from error


def _boolean(value: str) -> bool:
    if value.strip().lower() not in {"true", "false"}:
        raise BadInput("replace must be true or false")
    return value.strip().lower() == "true"


def _check_labels(documents: Sequence[NewDocument], access: KbAccess) -> None:
    if not all(sees(access.labels, document.labels) for document in documents):
        raise Forbidden("this key may only give documents labels that it holds itself")


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2].lower()}" if "." in name else ""
