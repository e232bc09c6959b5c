"""A chat server that does what the question says: breaks off half-way, goes on for ever, or reads for ever.

It notes when a caller goes away: then its slot is free. ``GET /reading`` says whether a prompt is being read, so that a
client can leave just then.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.listening import listening

SAID = "The harbour of Lindvik was built in 1902 by Ada Lind [1]. "
_MOST_SECONDS = 30.0


class ChatServer:
    """Where it listens, and when callers went away: by what they had asked for."""

    def __init__(self) -> None:
        self.address = ""
        self.freed: dict[str, float] = {}
        self.open: set[str] = set()

    @property
    def url(self) -> str:
        """Where a gateway finds it."""
        return f"{self.address}/v1"


@contextmanager
def serving() -> Iterator[ChatServer]:
    """Serve until the block ends."""
    chat = ChatServer()
    with listening(_handler(chat)) as address:
        chat.address = address
        yield chat


def _handler(chat: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            told = b"yes" if self.path == "/reading" and "read" in chat.open else b"no"
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = body["messages"][-1]["content"] if "messages" in body else ""
            if self.path != "/v1/chat/completions" or "Last question:" in asked:
                self.send_error(503 if asked else 404)  # counting and rewriting are done without it
                return
            question = asked.rsplit("Question:", 1)[-1]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            if "while it is read" in question:
                self._until_gone("read")
            elif "at length" in question:
                self._say(SAID + "The harbour of")
                self._until_gone("written")
            elif "half-way" in question:
                self._say(SAID + "The harbour of")
                time.sleep(0.3)
                self.connection.shutdown(socket.SHUT_RDWR)
            else:
                self._say("NOT IN THE DOCUMENTS", "stop")
                self.wfile.write(b"data: [DONE]\n\n")

        def _say(self, text: str, finish: str | None = None) -> None:
            event = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

        def _until_gone(self, what: str) -> None:
            chat.open.add(what)
            try:
                self._wait_until_gone(what)
            finally:
                chat.open.discard(what)

        def _wait_until_gone(self, what: str) -> None:
            deadline = time.monotonic() + _MOST_SECONDS
            while time.monotonic() < deadline:
                readable, _, _ = select.select([self.connection], [], [], 0.02)
                if readable and not self.connection.recv(1):
                    chat.freed[what] = time.time()
                    return

    return Handler
