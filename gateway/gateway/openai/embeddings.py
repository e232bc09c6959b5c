"""Vectors of texts, from the model that the documents were embedded with."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import Field

from atoll.domain.embedding import EmbedderCard, InputType
from atoll.errors import BadInput
from atoll.ports.embedder import Embedder
from gateway.openai.schemas import MAX_MODEL_CHARACTERS
from gateway.wire import WHOLE, Body

#: As many as OpenAI takes.
_MAX_TEXTS = 2048


class EmbeddingsIn(Body, extra="ignore"):
    """Texts to embed. ``model`` may be anything: there is one embedding model, whose name the answer tells."""

    nul = True

    model: str = Field(min_length=1, max_length=MAX_MODEL_CHARACTERS)
    input: Any = Field(description="A text, or a list of texts.")
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, Field(ge=1), WHOLE] | None = None
    input_type: InputType | None = Field(None, description="`query` for questions; models may treat them differently.")
    user: str | None = None

    def texts(self) -> list[str]:
        """Return what is to be embedded. Raises BadInput for token ids and everything else that is no text."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        if not isinstance(texts, list) or not texts:
            raise BadInput("body.input: must be a text or a list of texts, at least one")
        if len(texts) > _MAX_TEXTS:
            raise BadInput(f"body.input: may have at most {_MAX_TEXTS} entries")
        if isinstance(texts[0], int | list):
            raise BadInput(
                "body.input: holds token ids, which belong to another model's vocabulary; send text "
                "(LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False)"
            )
        if not all(isinstance(text, str) for text in texts):
            raise BadInput("body.input: must be a text or a list of texts, at least one")
        return texts


async def embedded(wanted: EmbeddingsIn, embedder: Embedder) -> bytes:
    """Return the answer's JSON.

    Raises:
        BadInput: what is asked for is no text, is too long, or has fewer dimensions.
        DependencyDown, ModelReplyInvalid: as the embedder raises them.
    """
    texts = wanted.texts()
    card, tokens = await asyncio.gather(embedder.describe(), embedder.tokenize(texts))
    counts = [each.count for each in tokens]
    _check(wanted, card, counts)
    vectors = await embedder.embed(texts, input_type=wanted.input_type or InputType.DOCUMENT)
    if wanted.dimensions is not None and wanted.dimensions < card.dimensions:
        vectors = _prefixes(vectors, wanted.dimensions)
    data = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(_rows(wanted, vectors))]
    usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
    return orjson.dumps({"object": "list", "data": data, "model": card.model, "usage": usage})


def _check(wanted: EmbeddingsIn, card: EmbedderCard, counts: Sequence[int]) -> None:
    longest = max(range(len(counts)), key=counts.__getitem__)
    if counts[longest] > card.text_tokens:
        raise BadInput(
            f"body.input: text {longest + 1} has {counts[longest]} tokens and the model reads {card.text_tokens}; "
            "send it in parts"
        )
    if wanted.dimensions is not None and wanted.dimensions > card.dimensions:
        raise BadInput(f"body.dimensions: must be at most {card.dimensions}; the model's vectors have no more")


def _prefixes(vectors: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    cut = vectors[:, :dimensions]
    norms = np.linalg.norm(cut, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (cut / np.where(norms > 0, norms, 1)).astype(np.float32)
    return unit


def _rows(wanted: EmbeddingsIn, vectors: NDArray[np.float32]) -> list[Any]:
    if wanted.encoding_format == "base64":
        return [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
    rows: list[Any] = vectors.tolist()
    return rows
