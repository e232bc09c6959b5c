"""A chat server that does what the question says: breaks off half-way, goes on for ever, reads for ever, or quotes three.

It notes when a caller goes away: then its slot is free. ``GET /reading`` says whether a prompt is being read, so that a
client can leave just then.
"""

from __future__ import annotations

import json
import re
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.support.listening import listening

SAID = "The harbour of Lindvik was built in 1902 by Ada Lind [1]. "
_MOST_SECONDS = 30.0
_EXCERPT = re.compile(r"^\[(\d+)\] '(.*?)', page (\d+):\n(.*?)(?=\n\n\[\d+\] '|\nEND |\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r"[A-Z][^.:|\n]{40,200}\.")


def quotations(prompt: str) -> str:
    """Return a sentence each of two pages of one document and of another one, in that order, with the marks of theirs."""
    found: dict[tuple[str, str], str] = {}
    for number, document, page, text in _EXCERPT.findall(prompt):
        sentence = _SENTENCE.search(text)
        if sentence:
            found.setdefault((document, page), f"{sentence[0].removesuffix('.')} [{number}].")
    documents = [document for document, _ in found]
    twice = next(document for document in documents if documents.count(document) > 1)
    same = [said for (document, _), said in found.items() if document == twice]
    other = next(said for (document, _), said in found.items() if document != twice)
    return " ".join((*same[:2], other))


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
            elif "three" in question:
                self._say(quotations(asked), "stop")
                self.wfile.write(b"data: [DONE]\n\n")
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
