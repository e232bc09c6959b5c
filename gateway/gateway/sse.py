"""Server-sent events: framing, heartbeats, and an end for streams whose source fails half-way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
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


async def with_keep_alive(frames: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the frames, and a comment whenever nothing came for `HEARTBEAT_SECONDS`."""
    coming: asyncio.Task[bytes] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(frames))
            done, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_SECONDS)
            if not done:
                yield KEEP_ALIVE
                continue
            finished, coming = coming, None
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
