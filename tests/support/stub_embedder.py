"""The embedding server's API without a model: vectors of the memory twin after a configurable delay.

``python -m tests.support.stub_embedder --port 0 --delay-ms 5`` prints ``port N`` when it listens.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from atoll.adapters.memory.embedder import MemoryEmbedder


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer

    def __init__(self, *args, embedder: MemoryEmbedder, delay_seconds: float, **kwargs) -> None:
        self._embedder, self._delay_seconds = embedder, delay_seconds
        super().__init__(*args, **kwargs)

    def log_message(self, *args) -> None:
        pass

    def do_GET(self) -> None:
        card = self._embedder.card
        answers = {
            "/health": {"status": "ok"},
            "/ready": {"status": "ready"},
            "/info": {
                "model": card.model,
                "weights_sha256": card.fingerprint,
                "dimensions": card.dimensions,
                "max_tokens": card.max_tokens,
                "special_tokens": 0,
                "prompt_tokens": {"query": 0, "document": 0},
                "dtype": "fp32",
                "spans": True,
            },
        }
        self._answer(answers.get(self.path))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "input" not in body:
            self._answer(None)
            return
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        if self.path == "/v1/embeddings":
            self._answer(self._embeddings(texts, body))
        elif self.path == "/v1/tokenize":
            self._answer(self._tokens(texts))
        else:
            self._answer(None)

    def _embeddings(self, texts: list[str], body: dict) -> dict:
        time.sleep(self._delay_seconds)
        rows = self._embedder.vectors(texts)
        as_text = body.get("encoding_format") == "base64"
        data = [
            {
                "object": "embedding",
                "index": at,
                "embedding": base64.b64encode(row.astype("<f4").tobytes()).decode() if as_text else row.tolist(),
            }
            for at, row in enumerate(rows)
        ]
        if "spans" in body:
            found = self._embedder.spanned(texts, [[tuple(span) for span in of] for of in body["spans"]])
            write = (
                (lambda rows: base64.b64encode(rows.astype("<f4").tobytes()).decode()) if as_text else np.ndarray.tolist
            )
            for row, mean, parts in zip(data, found.means, found.spans, strict=True):
                row |= {"mean": write(mean), "spans": write(parts)}
        tokens = sum(self._embedder.spans(text).count for text in texts)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": self._embedder.card.model, "usage": usage}

    def _tokens(self, texts: list[str]) -> dict:
        data = []
        for at, text in enumerate(texts):
            ends = self._embedder.spans(text).ends
            data.append({"index": at, "tokens": len(ends), "offsets": [[end - 1, end] for end in ends]})
        return {"object": "list", "data": data, "special_tokens": 0}

    def _answer(self, document: dict | None) -> None:
        payload = json.dumps(document or {"error": {"message": "no such route"}}).encode()
        self.send_response(200 if document else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def create(*, port: int = 0, delay_seconds: float = 0.0, dimensions: int = 384) -> Server:
    """A server that is already listening; call ``serve_forever`` on it, then ``shutdown``."""
    handler = partial(Stub, embedder=MemoryEmbedder(dimensions=dimensions), delay_seconds=delay_seconds)
    return Server(("127.0.0.1", port), handler)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=0)
    arguments.add_argument("--delay-ms", type=float, default=0.0)
    arguments.add_argument("--dimensions", type=int, default=384)
    chosen = arguments.parse_args()
    server = create(port=chosen.port, delay_seconds=chosen.delay_ms / 1000, dimensions=chosen.dimensions)
    sys.stdout.write(f"port {server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
