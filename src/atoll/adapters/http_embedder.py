"""Our embedding server, or any other that speaks OpenAI's ``/v1/embeddings``."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.model_server import ABSENT, ModelServer, shape
from atoll.domain.embedding import CharacterSpan, EmbedderCard, InputType, SpannedVectors, TokenSpans
from atoll.errors import ModelReplyInvalid, NotAvailable

#: Characters in one request, well below the server's limit in bytes.
REQUEST_CHARACTERS = 500_000
#: Parts of texts in one request, half the server's limit.
REQUEST_SPANS = 2_048
#: Characters of one text in a tokenize request; longer texts go in pieces that end at white space.
PIECE_CHARACTERS = 50_000
#: A server that cannot tokenise: one token per so many UTF-8 bytes, which errs high for prose in every script.
FALLBACK_TOKEN_BYTES = 3
#: How far a row of our own server may be from length 1.
_UNIT_TOLERANCE = 0.01
_log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


class HttpEmbedder(ModelServer):
    """Implements ``Embedder``.

    ``ours`` says that the server is Atoll's, which takes ``input_type`` and
    ``truncate``; another server gets nothing beyond OpenAI's fields. ``max_tokens`` is the window of a server
    that cannot tell. ``dimensions`` cuts vectors to a prefix.
    """

    def __init__(
        self,
        *,
        url: str,
        ours: bool = True,
        model: str = "local",
        token: str | None = None,
        dimensions: int | None = None,
        max_tokens: int = 256,
        request_texts: int = 64,
        concurrent_requests: int = 2,
        timeout_seconds: float = 60.0,
    ) -> None:
        super().__init__(
            "embedding server",
            url=url,
            token=token,
            timeout_seconds=timeout_seconds,
            max_connections=concurrent_requests + 2,
        )
        self._ours = ours
        self._model = model
        self._asked_dimensions = dimensions
        self._known_dimensions = dimensions
        self._max_tokens = max_tokens
        self._request_texts = request_texts
        self._concurrent_requests = concurrent_requests

    async def describe(self) -> EmbedderCard:
        """See ``atoll.ports.embedder.Embedder``. A server without ``/info`` is measured with one short text."""
        reply = await self.exchange("GET", "/info") if self._ours else None
        if reply is None or reply.status in ABSENT:
            dimensions = int((await self.embed(["dimensions"], input_type=InputType.QUERY)).shape[1])
            return EmbedderCard(self._model, dimensions, self._max_tokens, self._max_tokens, self._model)
        info = self.document(reply, "/info")
        with shape("/info"):
            spent = int(info["special_tokens"]) + int(info["prompt_tokens"][InputType.DOCUMENT.value])
            return EmbedderCard(
                model=str(info["model"]),
                dimensions=self._asked_dimensions or int(info["dimensions"]),
                max_tokens=int(info["max_tokens"]),
                text_tokens=int(info["max_tokens"]) - spent,
                fingerprint=str(info["weights_sha256"]),
                has_spans=bool(info.get("spans", False)),
            )

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """See ``atoll.ports.embedder.Embedder``. Our server cuts texts that are too long and says so; it is logged."""
        if not texts:
            return np.zeros((0, self._known_dimensions or 0), dtype=np.float32)
        requests, at_once = self._requests(texts), self._concurrent_requests
        parts = await self.each(requests, lambda part: self._embed_request(texts[part], input_type), at_once=at_once)
        if len({part.shape[1] for part in parts}) != 1:
            raise ModelReplyInvalid("the embedding server gave vectors of different lengths")
        return np.concatenate(parts)

    async def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]], *, input_type: InputType
    ) -> SpannedVectors:
        """See ``atoll.ports.embedder.Embedder``. Only our server knows of parts."""
        if not self._ours:
            raise NotAvailable("this embedding server has no vectors of parts of a text; only Atoll's own has")
        requests = self._requests(texts, [len(each) for each in spans])
        parts = await self.each(
            requests,
            lambda part: self._spans_request(texts[part], spans[part], input_type),
            at_once=self._concurrent_requests,
        )
        if len({(part.texts.shape[1], part.means.shape[1]) for part in parts}) > 1:
            raise ModelReplyInvalid("the embedding server gave vectors of different lengths")
        nothing = np.zeros((0, self._known_dimensions or 0), dtype=np.float32)
        return SpannedVectors(
            np.concatenate([part.texts for part in parts] or [nothing]),
            np.concatenate([part.means for part in parts] or [nothing]),
            [rows for part in parts for rows in part.spans],
        )

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """See ``atoll.ports.embedder.Embedder``. A server without ``/v1/tokenize`` is replaced by an estimate."""
        pieces = [(at, start, end) for at, text in enumerate(texts) for start, end in _pieces(text)]
        cut = [texts[at][start:end] for at, start, end in pieces]
        parts = (
            await self.each(
                self._requests(cut), lambda part: self._tokenize_request(cut[part]), at_once=self._concurrent_requests
            )
            if cut
            else []
        )
        ends: list[list[int]] = [[] for _ in texts]
        for (at, start, _), spans in zip(pieces, [spans for part in parts for spans in part], strict=True):
            ends[at].extend(start + end for end in spans.ends)
        return [TokenSpans(tuple(positions)) for positions in ends]

    def _requests(self, texts: Sequence[str], spans: Sequence[int] = ()) -> list[slice]:
        """Return the runs of ``texts`` that fit one request each; ``spans`` is how many parts each has."""
        cuts, characters, parts = [0], 0, 0
        for at, text in enumerate(texts):
            more = spans[at] if spans else 0
            is_full = at - cuts[-1] >= self._request_texts
            if at > cuts[-1] and (
                is_full or characters + len(text) > REQUEST_CHARACTERS or parts + more > REQUEST_SPANS
            ):
                cuts.append(at)
                characters, parts = 0, 0
            characters += len(text)
            parts += more
        return [slice(start, end) for start, end in pairwise([*cuts, len(texts)]) if end > start]

    async def _embed_request(self, texts: Sequence[str], input_type: InputType) -> NDArray[np.float32]:
        return self._texts(await self._rows(texts, {}, input_type))

    async def _spans_request(
        self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]], input_type: InputType
    ) -> SpannedVectors:
        data = await self._rows(texts, {"spans": spans}, input_type)
        with shape("/v1/embeddings"):
            means = np.stack([_vector(row["mean"]) for row in data])
            found = [_vector(row["spans"]).reshape(-1, means.shape[1]) for row in data]
            if [len(rows) for rows in found] != [len(each) for each in spans]:
                raise ValueError("vectors of other parts than were asked for")
        if not np.isfinite(means).all() or not all(np.isfinite(rows).all() for rows in found):
            raise ModelReplyInvalid("the embedding server gave a vector that is not finite")
        return SpannedVectors(self._texts(data), means, found)

    async def _rows(self, texts: Sequence[str], more: Mapping[str, object], input_type: InputType) -> list[Any]:
        """Send one request and return the rows of the answer, one a text, in order."""
        body: dict[str, object] = {"model": self._model, "input": list(texts), "encoding_format": "base64", **more}
        if self._asked_dimensions is not None:
            body["dimensions"] = self._asked_dimensions
        if self._ours:
            body |= {"input_type": input_type.value, "truncate": True}
        reply = await self.exchange("POST", "/v1/embeddings", body)
        if truncated := reply.headers.get("x-truncated"):
            _log.warning("%s of %d texts were longer than the model's window and were cut", truncated, len(texts))
        with shape("/v1/embeddings"):
            data = sorted(self.document(reply, "/v1/embeddings")["data"], key=lambda row: int(row["index"]))
            if [int(row["index"]) for row in data] != list(range(len(texts))):
                raise ModelReplyInvalid(f"/v1/embeddings gave {len(data)} vectors for {len(texts)} texts")
        return data

    def _texts(self, data: Sequence[Any]) -> NDArray[np.float32]:
        """Return the texts' own vectors."""
        with shape("/v1/embeddings"):
            rows = np.stack([_vector(row["embedding"]) for row in data])
            if rows.ndim != 2:  # noqa: PLR2004 - a row a text
                raise ValueError(f"vectors of shape {rows.shape[1:]}")
        self._known_dimensions = self._known_dimensions or rows.shape[1]
        if rows.shape[1] != self._known_dimensions:
            raise ModelReplyInvalid(
                f"the embedding server gave {rows.shape[1]} dimensions instead of {self._known_dimensions}"
            )
        return self._unit(rows)

    def _unit(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not (norms > 0).all():
            raise ModelReplyInvalid("the embedding server gave a vector that is zero or not finite")
        if self._ours and (np.abs(norms - 1) > _UNIT_TOLERANCE).any():
            raise ModelReplyInvalid("the embedding server gave a vector that is not of length 1")
        unit: NDArray[np.float32] = rows / norms
        return unit

    async def _tokenize_request(self, texts: Sequence[str]) -> list[TokenSpans]:
        reply = await self.exchange("POST", "/v1/tokenize", {"input": list(texts), "offsets": True})
        if reply.status in ABSENT:
            return [estimate(text) for text in texts]
        with shape("/v1/tokenize"):
            data = self.document(reply, "/v1/tokenize")["data"]
            spans = [TokenSpans(tuple(int(end) for _, end in row["offsets"])) for row in data]
        if len(spans) != len(texts):
            raise ModelReplyInvalid(f"/v1/tokenize gave {len(spans)} results for {len(texts)} texts")
        return spans


def _vector(embedding: object) -> NDArray[np.float32]:
    """Read base64 of little-endian float32, or numbers from a server that knows no base64."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of pieces of at most ``PIECE_CHARACTERS``, cut after white space where there is any."""
    start = 0
    while len(text) - start > PIECE_CHARACTERS:
        end = start + PIECE_CHARACTERS
        while end > start and not text[end - 1].isspace():
            end -= 1
        if end == start:
            end = start + PIECE_CHARACTERS
        yield start, end
        start = end
    yield start, len(text)


def estimate(text: str) -> TokenSpans:
    """Return a token per ``FALLBACK_TOKEN_BYTES`` bytes of UTF-8, never more than one token a character."""
    ends: list[int] = []
    size = 0
    for position, character in enumerate(text, start=1):
        size += len(character.encode("utf-8", "surrogatepass"))
        if size >= FALLBACK_TOKEN_BYTES:
            ends.append(position)
            size = 0
    if size:
        ends.append(len(text))
    return TokenSpans(tuple(ends))
