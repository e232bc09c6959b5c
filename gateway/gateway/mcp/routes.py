"""The one address of the Model Context Protocol: messages in, answers and streams out."""

from __future__ import annotations

import asyncio
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from starlette.types import Message, Receive, Scope, Send

from atoll.access.admit import Access
from atoll.domain.principal import Action
from atoll.errors import Forbidden, NotAvailable
from gateway.auth import Authorized
from gateway.mcp.calls import ACCESS, LEFT
from gateway.mcp.front import Front
from gateway.runtime import Live, kept

router = APIRouter(include_in_schema=False)

#: Every message is admitted for itself, calls of tools like requests to our own routes.
Messages = Annotated[Access, Depends(Authorized(Action.READ, envelope=True))]
Serving = Annotated[Front, Depends(kept(Front))]


# There is no GET: nothing is sent that nobody asked for, and a client is told so by 405.
@router.api_route("/mcp", methods=["POST", "DELETE"])
async def exchange_messages(request: Request, access: Messages, live: Live, front: Serving) -> Response:
    """Take messages of the Model Context Protocol."""
    limits = live.ports.mcp
    if not limits.enabled:
        raise NotAvailable("the Model Context Protocol is switched off here (ATOLL_MCP__ENABLED)")
    _check_origin(request, limits.allowed_origins)
    # Read here: a body that is too large or stalls is refused in the words of every other route.
    return _Exchange(front, access, await request.body())


def _check_origin(request: Request, allowed: tuple[str, ...]) -> None:
    """Let no foreign page call. Raises Forbidden."""
    origin = request.headers.get("origin")
    if origin is None or origin in allowed or urlsplit(origin).netloc == request.headers.get("host"):
        return
    raise Forbidden(f"pages of {origin[:200]} may not call this; add it to ATOLL_MCP__ALLOWED_ORIGINS")


class _Exchange(Response):
    """Answers with what the protocol's server answers."""

    def __init__(self, front: Front, access: Access, body: bytes) -> None:
        super().__init__()
        self._front = front
        self._access = access
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        left = asyncio.Event()
        unread = True

        async def receive_again() -> Message:
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": self._body, "more_body": False}
            message = await receive()
            if message["type"] == "http.disconnect":
                left.set()
            return message

        state = {**scope.get("state", {}), ACCESS: self._access, LEFT: left}
        await self._front.handle({**scope, "state": state}, receive_again, send, self._access)
