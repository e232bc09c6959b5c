"""What serves agents in this process: started by the first of them, stopped with the process, bounded in between."""

from __future__ import annotations

import asyncio
import importlib
import time
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from atoll.access.admit import Access
from gateway.runtime import Runtime

SESSION = "mcp-session-id"
#: Sessions of the older protocols that a key may have open; the one that rested longest is ended for a new one.
SESSIONS_PER_KEY = 64


class Front:
    """The protocol's server, which is loaded when it is wanted.

    Sessions belong to the older protocols and are bound to the key that opened them. Clients rarely end theirs, so
    that the server ends them: after a time, and one key's oldest when it opens too many.
    """

    def __init__(self, live: Runtime) -> None:
        self._live = live
        self._starting = asyncio.Lock()
        self._serving: asyncio.Task[None] | None = None
        self._manager: Any = None
        self._module: Any = None
        self._sessions: dict[str, OrderedDict[str, float]] = {}

    async def run(self) -> None:
        """Be there beside the requests; when cancelled, stop what the first request started."""
        try:
            await asyncio.Event().wait()
        finally:
            if self._serving is not None:
                self._serving.cancel()
                with suppress(asyncio.CancelledError):
                    await self._serving

    async def handle(self, scope: Scope, receive: Receive, send: Send, access: Access) -> None:
        """Serve one HTTP request with messages."""
        module = await self._started()
        scope["user"] = module.user(access)
        given = Headers(scope=scope).get(SESSION)
        subject = access.principal.subject
        opened: str | None = None

        async def note(message: Message) -> None:
            nonlocal opened
            if message["type"] == "http.response.start" and given is None:
                opened = Headers(raw=message["headers"]).get(SESSION)
            await send(message)

        if given is not None and given in self._sessions.get(subject, ()):
            self._touch(subject, given)
        await self._manager.handle_request(scope, receive, note)
        if opened is not None:
            await self._opened(scope, subject, opened)

    async def _started(self) -> Any:
        """Return the module of the server, which is then running."""
        if self._module is not None and self._serving is not None and not self._serving.done():
            return self._module
        async with self._starting:
            # In a thread: the import takes seconds on a busy machine, and others wait for answers.
            module = await asyncio.to_thread(importlib.import_module, "gateway.mcp.server")
            if self._serving is None or self._serving.done():
                self._manager = module.session_manager(self._live)
                ready = asyncio.Event()
                self._serving = asyncio.create_task(self._serve(self._manager, ready))
                await ready.wait()
            self._module = module
        return module

    @staticmethod
    async def _serve(manager: Any, ready: asyncio.Event) -> None:
        async with manager.run():
            ready.set()
            await asyncio.Event().wait()

    def _touch(self, subject: str, session: str) -> None:
        mine = self._sessions.setdefault(subject, OrderedDict())
        mine[session] = time.monotonic()
        mine.move_to_end(session)

    async def _opened(self, scope: Scope, subject: str, session: str) -> None:
        self._touch(subject, session)
        module = await self._started()
        rested = time.monotonic() - module.SESSION_IDLE_SECONDS
        for key, known in list(self._sessions.items()):
            for old in [name for name, used in known.items() if used < rested]:
                del known[old]
            if not known:
                del self._sessions[key]
        while len(mine := self._sessions[subject]) > SESSIONS_PER_KEY:
            await self._end(scope, mine.popitem(last=False)[0])

    async def _end(self, scope: Scope, session: str) -> None:
        """End a session as its client would: by DELETE."""
        headers = [(SESSION.encode(), session.encode())]

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            del message

        await self._manager.handle_request({**scope, "method": "DELETE", "headers": headers}, receive, send)
