"""Documents as they change, as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse

from atoll.access.admit import KbAccess
from atoll.access.opaque import OPAQUE_CHARACTERS
from atoll.domain.principal import Action
from atoll.errors import AtollError
from gateway.auth import InKb
from gateway.documents.schemas import DocumentState
from gateway.events.hub import Hubs, Shown
from gateway.runtime import Live, Runtime
from gateway.sse import HEARTBEAT_SECONDS, frame, stream_response
from gateway.standing import ensure_stands
from gateway.wire import event_number

router = APIRouter(prefix="/v1/kbs/{kb}", tags=["events"])

#: How soon a stream notices that the process stops.
_LOOK_SECONDS = 1.0
#: How often it is looked whether the key still holds: it ends within 15 seconds, with room for a look.
_CHECK_SECONDS = 10.0


@router.get("/events", response_class=StreamingResponse, responses={200: {"content": {"text/event-stream": {}}}})
async def watch_documents(
    access: Annotated[KbAccess, Depends(InKb(Action.READ, counted=False))],
    live: Live,
    last_event_id: Annotated[str | None, Header(max_length=OPAQUE_CHARACTERS)] = None,
) -> StreamingResponse:
    """Stream ``document`` and ``deleted`` events; ``Last-Event-ID`` goes on where an earlier stream broke off.

    A deletion is told for an hour: whoever was away for longer lists the documents anew.
    """
    frames = _frames(access, live, event_number(live.opaque, access.kb, last_event_id))
    # The first piece says that the stream is on, and finds out whether there is room for it.
    first = await anext(frames)
    return stream_response(_joined(first, frames))


async def _joined(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        yield first
        async for each in rest:
            yield each
    finally:
        await rest.aclose()


async def _frames(access: KbAccess, live: Runtime, since: int | None) -> AsyncGenerator[bytes, None]:
    with live.streams.hold(access.principal.subject), live.metrics.subscribers.track_inprogress():
        async with live.kept(Hubs).watch(access.reader) as hub:
            at = await hub.begin() if since is None else since
            checked = beat = time.monotonic()
            yield frame("heartbeat", {})
            while not live.stopping.is_set():
                at, shown = await hub.after(at, access.reader)
                for each in shown:
                    # A clock of its own: a busy knowledge base does not put the check off, nor does a slow client.
                    if time.monotonic() - checked >= _CHECK_SECONDS:
                        if not await _may_stay(access, live):
                            return
                        checked = time.monotonic()
                    yield _told(each, live.opaque.text("change", access.kb, each.number))
                    beat = time.monotonic()
                if time.monotonic() - checked >= _CHECK_SECONDS:
                    if not await _may_stay(access, live):
                        return
                    checked = time.monotonic()
                if time.monotonic() - beat >= HEARTBEAT_SECONDS:
                    beat = time.monotonic()
                    yield frame("heartbeat", {})
                await hub.wait(at, _LOOK_SECONDS)


def _told(shown: Shown, identity: str) -> bytes:
    if shown.document is None:
        return frame("deleted", {"id": shown.uid}, identity)
    return frame("document", DocumentState.of(shown.document).model_dump(mode="json"), identity)


async def _may_stay(access: KbAccess, live: Runtime) -> bool:
    try:
        await ensure_stands(access, live)
    except AtollError as error:
        return error.retryable
    return True
