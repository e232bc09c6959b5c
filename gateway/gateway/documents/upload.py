"""An upload as HTTP brings it: a form or JSON, read from the stream into `Uploads`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from atoll.access.admit import KbAccess
from atoll.access.limits import Gate
from atoll.domain.document import Accepted
from atoll.domain.passwords import check_password
from atoll.errors import BadInput, UnsupportedMediaType
from atoll.intake.accept import WRITE_BYTES, ArrivingFile, Upload, Uploads
from gateway.documents.form import Field, FileData, FileEnd, FileStart, FormReader
from gateway.documents.schemas import TextsIn
from gateway.errors import invalid
from gateway.middleware import set_body_limit
from gateway.runtime import Runtime

_FORM_OVERHEAD_BYTES = 2**20
#: JSON lies in memory as a whole; longer texts are sent as files.
_MAX_JSON_BYTES = 32 * 2**20
_CONCURRENT_JSON_UPLOADS = 2
_FILE_FIELD = "file"
_SINGLE_FIELDS = frozenset({"metadata", "replace", "source", "password"})


class UploadReader:
    """Reads uploads from requests.

    Args:
        uploads: what takes them.
    """

    def __init__(self, uploads: Uploads) -> None:
        self.uploads = uploads
        self._json = Gate(_CONCURRENT_JSON_UPLOADS, "uploads as JSON")

    async def accept(self, request: Request, access: KbAccess, live: Runtime) -> Accepted:
        """Read the request's documents and accept them all, or none.

        Raises:
            UnsupportedMediaType: neither a form nor JSON, or a file of a kind that nothing reads.
            DocumentTooLarge, StorageFull, BadInput: as their names say; nothing is left behind.
            Forbidden: a label that the key does not hold.
            Conflict: a file is there already with labels that the upload would take away.
            QuotaExceeded, NotFound: as `Catalogue.accept`.
        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {"multipart/form-data", "application/json"}:
            raise UnsupportedMediaType("send documents as multipart/form-data (field `file`) or as application/json")
        is_json = kind == "application/json"
        turn: AbstractAsyncContextManager[None] = self._json.enter() if is_json else nullcontext()
        async with turn, self.uploads.begin(access.reader) as upload:
            read = self._read_json if is_json else self._read_form
            replace, password = await read(request, upload)
            accepted = await upload.commit(replace=replace, actor=access.actor, password=password)
        duplicates = len(accepted.duplicates)
        live.metrics.uploaded(new=upload.count - duplicates, duplicates=duplicates, size=upload.bytes)
        return accepted

    async def _read_form(self, request: Request, upload: Upload) -> tuple[bool, str | None]:
        """Read a form into the upload; return whether it replaces, and the password of its files."""
        set_body_limit(request.scope, self.uploads.limits.max_bytes + _FORM_OVERHEAD_BYTES)
        reader = FormReader(request.headers["content-type"], file_field=_FILE_FIELD)
        fields = _Fields()
        file: ArrivingFile | None = None
        async for chunk in _in_blocks(request.stream()):
            for event in reader.feed(chunk):
                match event:
                    case FileStart(name):
                        file = await upload.file(name)
                    case FileData(piece) if file is not None:
                        await file.write(piece)
                    case FileEnd() if file is not None:
                        await file.end()
                        file = None
                    case Field(name, value):
                        fields.note(name, value)
        reader.close()
        if not upload.count:
            raise BadInput("the form has no file; send at least one field `file`")
        upload.describe(labels=fields.labels or None, metadata=fields.metadata(), source=fields.single.get("source"))
        return fields.replace(), check_password(fields.single.get("password", ""))

    async def _read_json(self, request: Request, upload: Upload) -> tuple[bool, None]:
        """Read texts into the upload; return whether they replace. Texts have no password."""
        set_body_limit(request.scope, min(self.uploads.limits.max_bytes, _MAX_JSON_BYTES))
        try:
            sent = TextsIn.model_validate(orjson.loads(await request.body()))
        except orjson.JSONDecodeError as error:
            raise BadInput(f"the body is not JSON: {error}") from error
        except ValidationError as error:
            raise invalid(error.errors()) from error
        for text in sent.documents:
            await upload.text(text.name, text.text, labels=text.labels, metadata=text.metadata, source=text.source)
        return sent.replace, None


@dataclass(slots=True)
class _Fields:
    """The small fields of a form, in whatever order they come."""

    labels: list[str] = field(default_factory=list)
    single: dict[str, str] = field(default_factory=dict)

    def note(self, name: str, value: str) -> None:
        if name == "labels":
            self.labels += [label for label in value.split(",") if label.strip()]
        elif name not in _SINGLE_FIELDS:
            known = ", ".join(sorted({_FILE_FIELD, "labels", *_SINGLE_FIELDS}))
            raise BadInput(f"the form has a field {name[:64]!r}; known are {known}")
        elif name in self.single:
            raise BadInput(f"the form has the field {name} twice")
        else:
            self.single[name] = value

    def metadata(self) -> Any:
        if not (value := self.single.get("metadata")):
            return None
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise BadInput(f"metadata must be a JSON object: {error}") from error

    def replace(self) -> bool:
        value = self.single.get("replace", "false").strip().lower()
        if value not in {"true", "false"}:
            raise BadInput("replace must be true or false")
        return value == "true"


async def _in_blocks(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join small pieces, so that parsing does not start anew for each."""
    waiting = bytearray()
    async for piece in stream:
        waiting += piece
        if len(waiting) >= WRITE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
