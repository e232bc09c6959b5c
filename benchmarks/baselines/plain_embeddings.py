"""The server that guides show, to measure against: Flask's own server, ``model.encode`` in slices of ten.

``python benchmarks/baselines/plain_embeddings.py MODEL_DIR PORT``
"""

from __future__ import annotations

import sys
from typing import Any

from flask import Flask, request
from sentence_transformers import SentenceTransformer

SLICE_TEXTS = 10


def main() -> None:
    model = SentenceTransformer(sys.argv[1], device="cpu", local_files_only=True)
    app = Flask("plain")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/embeddings")
    def embeddings() -> dict[str, Any]:
        texts = request.get_json()["input"]
        rows: list[list[float]] = []
        for start in range(0, len(texts), SLICE_TEXTS):
            rows += model.encode(texts[start : start + SLICE_TEXTS], show_progress_bar=False).tolist()
        data = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)]
        return {"object": "list", "data": data, "model": "plain", "usage": {}}

    app.run(host="127.0.0.1", port=int(sys.argv[2]), threaded=True)


if __name__ == "__main__":
    main()
