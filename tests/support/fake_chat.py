"""A chat server of a few lines: OpenAI's wire format, streamed or whole, with answers that the test decides."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.listening import listening


@dataclass(frozen=True)
class Said:
    """An answer that is not streamed. ``content`` replaces the whole body, whatever it is then."""

    text: str = ""
    finish: str = "stop"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    after_seconds: float = 0.0


class FakeChat:
    """What the server says next, and what it was asked."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[dict[str, Any]] = []
        self.reply: Callable[[str], str] = lambda prompt: "NOT IN THE DOCUMENTS"
        self.status = 200
        #: Answers requests that do not ask for a stream.
        self.whole: Callable[[dict[str, Any]], Said] = lambda body: Said("{}")

    @property
    def url(self) -> str:
        return f"{self.address}/v1"


@contextmanager
def serving() -> Iterator[FakeChat]:
    """Serve until the block ends."""
    chat = FakeChat()
    with listening(_handler(chat)) as address:
        chat.address = address
        yield chat


def _handler(chat: FakeChat) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path != "/v1/chat/completions":
                self.send_error(404)
                return
            chat.requests.append(body)
            if chat.status != 200:
                self.send_error(chat.status)
                return
            if not body.get("stream"):
                self._whole(body, chat.whole(body))
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            text = chat.reply(body["messages"][-1]["content"])
            for at in range(0, len(text), 7):  # cut anywhere, as tokens are
                self._send({"choices": [{"index": 0, "delta": {"content": text[at : at + 7]}}]})
            self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            self._send({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}})
            self.wfile.write(b"data: [DONE]\n\n")

        def _whole(self, body: dict[str, Any], said: Said) -> None:
            time.sleep(said.after_seconds)
            answer = {
                "choices": [{"index": 0, "message": {"content": said.text}, "finish_reason": said.finish}],
                "usage": {
                    "prompt_tokens": sum(len(message["content"]) for message in body["messages"]) // 4,
                    "completion_tokens": len(said.text) // 4,
                },
            }
            content = json.dumps(answer).encode() if said.content is None else said.content
            try:
                self.send_response(said.status)
                for name, value in {"Content-Length": str(len(content)), **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                pass  # the client gave up, as some tests want it to

        def _send(self, event: dict[str, Any]) -> None:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

    return Handler
