"""A file as a download: whole, or the one range of bytes that was asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO

from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from atoll.errors import BadInput

_PIECE_BYTES = 64 * 1024
#: The first and the last byte; one of them may be absent. No file has more bytes than these digits can say.
_RANGE = re.compile(r"bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})", re.ASCII | re.IGNORECASE)
_SEVERAL = re.compile(r"bytes\s*=.*,", re.ASCII | re.IGNORECASE)


def download(
    file: BinaryIO, size: int, *, etag: str, media_type: str, headers: Mapping[str, str], asked: Mapping[str, str]
) -> Response:
    """Answer with a file, which is closed once it is sent.

    Args:
        file: open for reading; closed by this function where it raises.
        size: its bytes.
        etag: what changes with its content.
        media_type: what it holds.
        headers: further headers of the answer.
        asked: the request's headers. Several ranges are answered by the whole file, which HTTP allows.

    Raises:
        BadInput: the header Range cannot be read.
    """
    quoted = f'"{etag}"'
    try:
        found = _range(asked.get("range"), size) if asked.get("if-range", quoted) == quoted else None
    except BadInput:
        file.close()
        raise
    start, end = found or (0, size)
    told = {**headers, "Accept-Ranges": "bytes", "ETag": quoted, "Content-Length": str(end - start)}
    if found is None:
        return _Download(file, 0, size, headers=told, media_type=media_type)
    if start >= size:
        file.close()
        return PlainTextResponse(
            f"the file has {size} bytes", status_code=416, headers={"Content-Range": f"bytes */{size}"}
        )
    told["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _Download(file, start, end, headers=told, media_type=media_type, status_code=206)


def _range(asked: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the one after the last, or None for the whole file. Raises BadInput."""
    if asked is None or _SEVERAL.match(asked):
        return None
    found = _RANGE.fullmatch(asked.strip())
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        raise BadInput("Range header: write it like bytes=0-499, bytes=500- or bytes=-500")
    if not first:
        # Of nothing there is no last byte.
        return (max(size - int(last), 0) if int(last) else size), size
    if last and int(last) < int(first):
        raise BadInput("Range header: the last byte comes before the first")
    return int(first), min(int(last) + 1, size) if last else size


class _Download(StreamingResponse):
    def __init__(
        self,
        file: BinaryIO,
        start: int,
        end: int,
        *,
        headers: Mapping[str, str],
        media_type: str,
        status_code: int = 200,
    ) -> None:
        super().__init__(_pieces(file, start, end), status_code, headers, media_type)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and close the file however that ends."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _pieces(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    await asyncio.to_thread(file.seek, start)
    while start < end and (piece := await asyncio.to_thread(file.read, min(_PIECE_BYTES, end - start))):
        start += len(piece)
        yield piece
