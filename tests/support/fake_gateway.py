"""The gateway's documents and query routes over a dict, as far as the command line uses them, with faults on demand.

A document's name decides what becomes of it: ``broken*`` fails, ``slow*`` is never ready, ``*.xyz`` is unsupported.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "atoll_test_key"
PNG = b"\x89PNG\r\n\x1a\n" + b"page"
ANSWER = {
    "answer": "The ramp failed. [1] It was \x1b[31mold.",
    "answered_by": "extract",
    "refusal": None,
    "sentences": [
        {"text": "The ramp failed.", "citations": [1], "supported": True},
        {"text": "It was \x1b[31mold.", "citations": [], "supported": False},
    ],
    "citations": [
        {
            "n": 1,
            "evidence": {
                "kind": "passage", "rank": 1, "score": 0.9, "document_id": "d1", "document": "ramp report.pdf", "page": 3,
                "boxes": [[0, 0, 9, 9]], "text": "The ramp failed\nin March.", "passage_id": "p7",
                "signals": {"dense": {"rank": 1, "score": 0.9}}, "path": None, "also_in": [],
                "source": None, "version": 1, "created_at": "2026-01-01T00:00:00Z",
            },
        }
    ],
    "evidence": [],
    "usage": {},
    "timings_ms": {},
}  # fmt: skip


class FakeGateway:
    """What the fake knows and does; faults are set by the test."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        #: Documents that are read again, and from which stage on.
        self.read_again: dict[str, str] = {}
        self.passwords: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.requests: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.busy_for = 0
        self.full = False
        self.break_after_accept = 0
        self.in_flight = 0
        self.most_in_flight = 0
        #: Documents on a page of a listing.
        self.page_size = 1
        self.uploads = 0
        self.lock = threading.Lock()

    def accept(self, name: str, content: bytes, source: str | None = None, *, replace: bool = False) -> dict[str, Any]:
        """Take a file: the same bytes at the same place are one document; ``replace`` drops what was there before."""
        digest = hashlib.sha256(content).hexdigest()
        there = [uid for uid, each in self.documents.items() if (each["source"], each["name"]) == (source, name)]
        same = [uid for uid in there if self.documents[uid]["sha256"] == digest]
        if replace and not name.startswith("broken"):
            for uid in set(there) - set(same):
                del self.documents[uid]
        self.uploads += 1
        uid = same[0] if same else hashlib.sha256(f"{source}/{name}/{digest}/{self.uploads}".encode()).hexdigest()[:16]
        if same:
            duplicates = [{"name": name, "document_id": uid, "applied": []}]
            return {
                "batch_id": "b", "documents": [self.document(uid)], "duplicates": duplicates, "namesakes": [],
            }  # fmt: skip
        self.documents[uid] = {
            "id": uid, "name": name, "source": source, "version": 1, "status": "queued", "media_type": "text/plain",
            "bytes": len(content), "sha256": digest, "pages": 1, "passages": 1, "entities": 0, "metadata": {},
            "labels": [], "created_at": "2026-01-01T00:00:00Z", "ready_at": None, "error": None, "warnings": [],
            "stages": [{"name": "parse", "state": "running", "done": 0, "total": 1, "seconds": 0, "attempts": 1,
                        "error": None}],
        }  # fmt: skip
        return {"batch_id": "b", "documents": [dict(self.documents[uid])], "duplicates": [], "namesakes": []}

    def document(self, uid: str) -> dict[str, Any]:
        """Every look brings a document to its end."""
        found = self.documents[uid]
        base = found["name"].rsplit("/", 1)[-1]
        if base.startswith("broken"):
            found["status"] = "failed"
            found["error"] = {"type": "DocumentUnreadable", "stage": "parse", "page": 7, "message": "page 7 is torn"}
        elif not base.startswith("slow"):
            found["status"] = "ready"
        return dict(found)


class _Routes(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: FakeGateway

    def do_GET(self) -> None:  # noqa: PLR0911 - one return a route
        path, query = self._path()
        if path == "/health/ready":
            return self._json(200, {})
        if not self._authorised():
            return None
        if path == "/v1/kbs/default":
            return self._json(200, {"name": "default", "documents": len(self.gateway.documents)})
        if path == "/v1/kbs/default/documents":
            named = query.get("name")
            found = [self.gateway.document(uid) for uid in sorted(self.gateway.documents)]
            found = [each for each in found if named is None or fnmatchcase(each["name"], named)]
            at, most = int(query.get("cursor", "0")), min(self.gateway.page_size, int(query.get("limit", "50")))
            following = str(at + most) if at + most < len(found) else None
            counts = {"ready": len(found)}
            return self._json(
                200, {"documents": found[at : at + most], "counts": counts, "older": 0, "next_cursor": following}
            )
        if match := re.fullmatch(r"/v1/kbs/default/documents/([^/]+)", path):
            if match[1] in self.gateway.documents:
                return self._json(200, self.gateway.document(match[1]))
        elif match := re.fullmatch(r"/v1/kbs/default/documents/([^/]+)/passages", path):
            passage = {"ordinal": 0, "page": 1, "headings": ["Ramp"], "text": "The ramp failed\nin March."}
            return self._json(200, {"passages": [passage], "next_cursor": None})
        elif match := re.fullmatch(r"/v1/kbs/default/documents/([^/]+)/skipped", path):
            item = {"type": "hidden", "page": None, "boxes": [], "text": "unseen \x1b[31m"}
            return self._json(200, {"items": [item], "total": 2})
        elif match := re.fullmatch(r"/v1/kbs/default/documents/([^/]+)/pages/(\d+)\.png", path):
            return self._send(200, "image/png", PNG + query.get("mark", "").encode())
        return self._problem(404, "Not found", "there is no such thing")

    def do_DELETE(self) -> None:
        path, query = self._path()
        if not self._authorised():
            return None
        uid, dry_run = path.rsplit("/", 1)[-1], query.get("dry_run") == "true"
        with self.gateway.lock:
            if uid not in self.gateway.documents:
                return self._problem(404, "Not found", "there is no such document")
            if not dry_run:
                self.gateway.documents.pop(uid)
        receipt = {"document_id": uid, "dry_run": dry_run, "removed": {"passages": 2}, "kept": {"entities": 1}}
        return self._json(200, receipt)

    def do_PATCH(self) -> None:
        path, _ = self._path()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._authorised():
            return None
        with self.gateway.lock:
            document = self.gateway.documents.get(path.rsplit("/", 1)[-1])
            if document is None:
                return self._problem(404, "Not found", "there is no such document")
            document.update(body, source=body.get("source", document["source"]) or None)
        return self._json(200, dict(document))

    def do_POST(self) -> None:  # noqa: PLR0911 - one return a route
        path, _ = self._path()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._authorised():
            return None
        if path == "/v1/session/links":
            return self._json(201, {"link": "a.b-c", "expires_at": "2026-01-01T00:00:00Z"})
        if path == "/v1/kbs/default/query":
            asked = json.loads(body)
            self.gateway.asked.append(asked)
            if asked["stream"]:
                return self._stream(asked)
            return self._json(200, ANSWER)
        if match := re.fullmatch(r"/v1/kbs/default/documents/([^/]+)/reprocess", path):
            return self._reprocess(match[1], json.loads(body))
        if path == "/v1/kbs/default/search":
            self.gateway.asked.append(json.loads(body))
            evidence = [citation["evidence"] for citation in ANSWER["citations"]]
            return self._json(200, {"evidence": evidence, "keywords": {}, "revision": 1, "timings_ms": {}})
        return self._upload(body)

    def _reprocess(self, uid: str, wanted: dict[str, Any]) -> None:
        gateway = self.gateway
        if gateway.busy_for:
            gateway.busy_for -= 1
            return self._problem(429, "Quota exceeded", "too fast", {"Retry-After": "0.1"})
        if uid in gateway.read_again:
            return self._problem(409, "Conflict", "the document is being read again already")
        gateway.read_again[uid] = wanted.get("from", "parse")
        gateway.passwords += [wanted["password"]] if "password" in wanted else []
        return self._json(202, gateway.document(uid))

    def _upload(self, body: bytes) -> None:
        gateway = self.gateway
        with gateway.lock:
            gateway.in_flight += 1
            gateway.most_in_flight = max(gateway.most_in_flight, gateway.in_flight)
        try:
            if gateway.full:
                return self._problem(507, "Storage full", "the disk is below its floor")
            if gateway.busy_for:
                gateway.busy_for -= 1
                return self._problem(429, "Quota exceeded", "too fast", {"Retry-After": "0.2"})
            fields, name, content = _form(self.headers["Content-Type"], body)
            gateway.fields.append(fields)
            if name.endswith(".xyz"):
                return self._problem(415, "Unsupported media type", f"{name}: nothing here reads .xyz")
            with gateway.lock:
                replace = fields.get("replace") == "true"
                answer = gateway.accept(name, content, fields.get("source"), replace=replace)
            if gateway.break_after_accept:
                gateway.break_after_accept -= 1
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return None
            return self._json(202, answer)
        finally:
            with gateway.lock:
                gateway.in_flight -= 1

    def _stream(self, asked: dict[str, Any]) -> None:
        events: list[tuple[str, Any]] = [
            ("evidence", {"evidence": [], "revision": 1}),
            ("delta", {"text": "void "}),
            ("replace", {"answered_by": "generate"}),
            ("delta", {"text": ANSWER["answer"]}),
        ]
        if asked["query"] == "break":
            events.append(("error", {"problem": {"title": "Model reply invalid", "detail": "it said nothing"}}))
        elif asked["query"] == "unknown":
            refusal = {"reason": "below_threshold", "best_score": 0.1}
            nothing = {"answer": "The documents do not say.", "refusal": refusal, "sentences": [], "citations": []}
            events.append(("done", {**ANSWER, **nothing, "answered_by": "none"}))
        elif asked["query"] != "cut":
            events.append(("done", ANSWER))
        text = ": hello\n\n" + "".join(f"event: {event}\ndata: {json.dumps(data)}\n\n" for event, data in events)
        self._send(200, "text/event-stream", text.encode())

    def _path(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        self.gateway.requests.append(f"{self.command} {parts.path}")
        return unquote(parts.path), {name: values[0] for name, values in parse_qs(parts.query).items()}

    def _authorised(self) -> bool:
        right = self.headers["Authorization"] == f"Bearer {KEY}"
        if not right:
            self._problem(401, "Not authenticated", "this key is not known")
        return right

    def _problem(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": "r"}
        self._send(status, "application/problem+json", json.dumps(body).encode(), headers)

    def _json(self, status: int, body: Any) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that the test broke on purpose are no news."""


@contextmanager
def serving(gateway: FakeGateway, port: int = 0) -> Iterator[int]:
    """Serve on 127.0.0.1; yields the port."""
    routes = type("_Bound", (_Routes,), {"gateway": gateway})
    server = _Server(("127.0.0.1", port), routes)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], str, bytes]:
    boundary = content_type.split("boundary=")[1].encode()
    fields, name, content = dict[str, str](), "", b""
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        value = value.removesuffix(b"\r\n")
        field = re.search(rb'name="([^"]*)"', head)
        assert field is not None
        if file := re.search(rb'filename="([^"]*)"', head):
            name, content = file[1].decode(), value
        else:
            fields[field[1].decode()] = value.decode()
    return fields, name, content
