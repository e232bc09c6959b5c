"""Server-sent events: framing, heartbeats, and an end for streams whose source fails half-way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from anyio import CancelScope
from starlette.responses import StreamingResponse

HEARTBEAT_SECONDS = 15.0
KEEP_ALIVE = b": keep-alive\n\n"


def frame(event: str, data: Any, identity: str | None = None) -> bytes:
    """Return one event. JSON has no raw line breaks, so that one ``data`` line is enough."""
    prefix = b"" if identity is None else b"id: %s\n" % identity.encode()
    return prefix + b"event: " + event.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"


def stream_response(frames: AsyncIterator[bytes], headers: Mapping[str, str] | None = None) -> StreamingResponse:
    """Answer with frames; proxies are told not to hold them back."""
    return StreamingResponse(
        frames, media_type="text/event-stream", headers={"X-Accel-Buffering": "no", **(headers or {})}
    )


async def with_keep_alive(
    frames: AsyncGenerator[bytes, None],
    last_word: Callable[[], Awaitable[bytes | None]] | None = None,
    *,
    check_seconds: float = HEARTBEAT_SECONDS,
) -> AsyncGenerator[bytes, None]:
    """Yield the frames, and a comment whenever nothing came for `HEARTBEAT_SECONDS`.

    ``last_word`` is asked every ``check_seconds``, whether frames come or not: what it returns ends the stream.
    """
    coming: asyncio.Task[bytes] | None = None
    spoke = checked = time.monotonic()
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(frames))
            done, _ = await asyncio.wait({coming}, timeout=min(HEARTBEAT_SECONDS, check_seconds))
            if last_word is not None and time.monotonic() - checked >= check_seconds:
                checked = time.monotonic()
                if (word := await last_word()) is not None:
                    yield word
                    return
            if not done:
                if last_word is None or time.monotonic() - spoke >= HEARTBEAT_SECONDS:
                    spoke = time.monotonic()
                    yield KEEP_ALIVE
                continue
            finished, coming = coming, None
            spoke = time.monotonic()
            try:
                yield finished.result()
            except StopAsyncIteration:
                return
    finally:
        # The server cancels a stream whose client left again and again until it ends. What the source has open must
        # be closed undisturbed, or its connections are lost to their pools.
        with CancelScope(shield=True):
            if coming is not None:
                coming.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    await coming
            await frames.aclose()
