"""Documents and batches: upload, list, look, amend, delete, retry, cancel, download, links."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from atoll.access.admit import KbAccess
from atoll.access.signatures import LINK_SECONDS
from atoll.domain.document import Stage, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.labels import clean_label
from atoll.domain.media import PDF
from atoll.domain.passwords import check_password
from atoll.domain.principal import Action
from atoll.intake.again import read_again
from atoll.intake.names import clean_source
from atoll.pages.views import PageViews
from gateway.auth import InKb
from gateway.citing import signed
from gateway.documents.download import download
from gateway.documents.progress import eta_seconds
from gateway.documents.schemas import (
    AcceptedOut,
    BatchOut,
    DocumentOut,
    DocumentPatch,
    DocumentsOut,
    LinkIn,
    ReceiptOut,
    ReprocessIn,
    SignedLinkOut,
    TextsIn,
)
from gateway.documents.upload import UploadReader
from gateway.errors import refusals
from gateway.runtime import Live, kept
from gateway.wire import Pattern, QueryTruth, TextCursor, place_of

MAX_PAGE = 500

router = APIRouter(prefix="/v1/kbs/{kb}", tags=["documents"])

Reading = Annotated[KbAccess, Depends(InKb(Action.READ))]
Writing = Annotated[KbAccess, Depends(InKb(Action.WRITE))]
Linked = Annotated[KbAccess, Depends(InKb(Action.READ, links=True))]

_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "metadata": {"type": "string", "description": "A JSON object, for all files."},
                        "labels": {"type": "string", "description": "Labels for all files, separated by commas."},
                        "replace": {"type": "boolean", "default": False},
                        "password": {
                            "type": "string",
                            "format": "password",
                            "description": "Opens the files that are encrypted; forgotten when they are read.",
                        },
                        "source": {
                            "type": "string",
                            "description": "Where the files come from; the folder part of a file's name lies below it.",
                        },
                    },
                }
            },
            "application/json": {"schema": TextsIn.model_json_schema(ref_template="#/components/schemas/{model}")},
        },
    }
}
_UPLOAD_BODY["requestBody"]["content"]["application/json"]["schema"].pop("$defs")  # type: ignore[index]


@router.post("/documents", status_code=202, openapi_extra=_UPLOAD_BODY, responses=refusals(415, 507))
async def upload_documents(
    request: Request, access: Writing, live: Live, reader: Annotated[UploadReader, Depends(kept(UploadReader))]
) -> AcceptedOut:
    """Take one or more documents. When this is answered they are safe: each becomes ready or fails with a reason."""
    return AcceptedOut.of(await reader.accept(request, access, live))


@router.get("/documents")
async def list_documents(
    access: Reading,
    live: Live,
    status: Status | None = None,
    name: Pattern = None,
    read_by: Annotated[Literal["older"] | None, Query(description="Only what an older pipeline read.")] = None,
    warning: Annotated[str | None, Query(max_length=64, description="Only what has a warning of this type.")] = None,
    source: Annotated[str | None, Query(max_length=2048, description="Only what is at this source or below.")] = None,
    label: Annotated[str | None, Query(max_length=256, description="Only what has this label.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    cursor: TextCursor = None,
) -> DocumentsOut:
    """List documents, newest first."""
    page = await live.ports.records.catalogue.page(
        access.reader,
        status=status,
        name=name,
        limit=limit,
        before=place_of(live.opaque, "document", access.kb, cursor),
        older=read_by is not None,
        warning=warning,
        source=clean_source(source),
        label=None if label is None else clean_label(label),
    )
    following = page.next_before
    return DocumentsOut.of(page, None if following is None else live.opaque.text("document", access.kb, following))


@router.get("/documents/{document}")
async def get_document(document: str, access: Reading, live: Live) -> DocumentOut:
    """Return a document and how far its journey has come."""
    return DocumentOut.of(await live.ports.records.catalogue.get(access.reader, DocumentUid(document)))


@router.patch("/documents/{document}")
async def amend_document(document: str, wanted: DocumentPatch, access: Writing, live: Live) -> DocumentOut:
    """Give a document other labels, other metadata, another name or source; labels hold from this answer on."""
    amended = await live.ports.records.lifecycle.amend(
        access.reader, DocumentUid(document), wanted.amendment(), access.actor
    )
    live.ringer.ring([amended.uid])
    return DocumentOut.of(amended)


@router.delete("/documents/{document}")
async def delete_document(document: str, access: Writing, live: Live, dry_run: QueryTruth = False) -> ReceiptOut:
    """Delete a document: it is gone for every request that begins after this answer."""
    receipt = await live.ports.records.lifecycle.delete(
        access.reader, DocumentUid(document), dry_run=dry_run, actor=access.actor
    )
    if not dry_run:
        live.ringer.ring([receipt.document])
    return ReceiptOut.of(receipt)


@router.post("/documents/{document}/retry")
async def retry_document(document: str, access: Writing, live: Live) -> DocumentOut:
    """Queue a failed, quarantined or cancelled document again, or its new reading when that failed."""
    queued = await live.ports.records.lifecycle.retry(access.reader, DocumentUid(document), access.actor)
    live.ringer.ring([queued.worked_on])
    return DocumentOut.of(queued)


@router.post("/documents/{document}/cancel")
async def cancel_document(document: str, access: Writing, live: Live) -> DocumentOut:
    """Stop work on a queued or processing document, or give up its new reading."""
    cancelled = await live.ports.records.lifecycle.cancel(access.reader, DocumentUid(document), access.actor)
    await live.ports.passwords.forget(access.kb, cancelled.uid)
    return DocumentOut.of(cancelled)


@router.post("/documents/{document}/reprocess", status_code=202)
async def reprocess_document(
    document: str, access: Writing, live: Live, wanted: ReprocessIn | None = None
) -> DocumentOut:
    """Read a ready document again; until the new reading is published everybody sees the old one.

    `from` is the first stage whose output is made anew; earlier ones are made anew only if today's pipeline would
    make them in another way. `stages` and `error` of the document tell how it gets on. The password of an encrypted
    file was forgotten when the file was read: without `password` its new reading fails as DocumentEncrypted.
    """
    wanted = wanted or ReprocessIn()
    queued = await read_again(
        live.ports.records,
        live.ports.passwords,
        access.reader,
        DocumentUid(document),
        Stage(wanted.stage),
        password=check_password(wanted.password),
        actor=access.actor,
    )
    live.ringer.ring([queued.worked_on])
    return DocumentOut.of(queued)


@router.get("/documents/{document}/file", response_class=StreamingResponse)
async def download_document(
    document: str,
    request: Request,
    access: Linked,
    live: Live,
    views: Annotated[PageViews, Depends(kept(PageViews))],
    pages: Annotated[
        QueryTruth, Query(description="The PDF whose pages are drawn and cited, instead of the upload.")
    ] = False,
) -> Response:
    """Return the bytes that were uploaded, or the PDF of the pages, to be saved and not shown."""
    found = await live.ports.records.catalogue.get(access.reader, DocumentUid(document))
    if pages:
        with await views.pdf(access.reader, found.uid) as file:
            content = await asyncio.to_thread(file.read)
        name = found.name if found.media_type == PDF else f"{found.name}.pdf"
        return Response(content, media_type=PDF, headers=_saved(name))
    return download(
        await live.ports.blobs.open(access.kb, found.uid),
        found.bytes,
        etag=found.sha256,
        media_type=found.media_type,
        headers=_saved(found.name),
        asked=request.headers,
    )


def _saved(name: str) -> dict[str, str]:
    """Return the headers of a file that a browser saves and never runs."""
    return {
        "Content-Disposition": attachment(name),
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
    }


@router.post("/documents/{document}/links")
async def link_document(document: str, wanted: LinkIn, access: Reading, live: Live) -> SignedLinkOut:
    """Return a link to a page's image, or to the file, that holds for five minutes and needs no key."""
    found = await live.ports.records.catalogue.get(access.reader, DocumentUid(document))
    path = f"/v1/kbs/{access.kb_name}/documents/{found.id}"
    parameters: list[tuple[str, str]] = []
    if wanted.page is None:
        path += "/file"
    else:
        path += f"/pages/{wanted.page}.png"
        parameters += [("mark", mark) for mark in wanted.mark]
        parameters += [("dpi", str(wanted.dpi))] if wanted.dpi is not None else []
    expires_at = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    return SignedLinkOut(url=signed(live, path, parameters, access.principal.subject), expires_at=expires_at)


@router.get("/batches/{batch}")
async def get_batch(batch: str, access: Reading, live: Live) -> BatchOut:
    """Return how the documents of one upload get on."""
    documents = await live.ports.records.catalogue.batch(access.reader, batch)
    return BatchOut(
        counts=dict(Counter(document.status.value for document in documents)),
        documents=[DocumentOut.of(document) for document in documents],
        eta_seconds=eta_seconds(documents, datetime.now(UTC)),
    )


def attachment(name: str) -> str:
    """Return a Content-Disposition that saves under ``name`` (RFC 6266): plain ASCII first, then the true name."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
