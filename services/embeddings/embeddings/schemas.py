"""Request bodies. Unknown fields are ignored, as OpenAI clients send many."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict, field_validator

from atoll.errors import BadInput
from atoll.serving.errors import TokenIdsRefused
from atoll.serving.http import blame, validated

#: Parts of the texts of one request that may have vectors: about 6 MiB of them.
MAX_SPANS = 4096


class InputType(StrEnum):
    """What a text is to the search: chooses the model's prompt and the lane."""

    QUERY = "query"
    DOCUMENT = "document"


class EncodingFormat(StrEnum):
    """How vectors are written: JSON numbers, or base64 of little-endian float32."""

    FLOAT = "float"
    BASE64 = "base64"


class Texts(BaseModel):
    """One text or a list of them."""

    model_config = ConfigDict(strict=True, frozen=True)

    input: list[str] = Field(min_length=1)

    @field_validator("input", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        if isinstance(value, str):
            return [value]
        if isinstance(value, list) and value and isinstance(value[0], int | list):
            raise TokenIdsRefused(
                "the input holds token ids, which belong to another model's vocabulary; send text "
                "(LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False)"
            )
        return value


class EmbeddingsBody(Texts):
    """``POST /v1/embeddings``; ``spans`` are parts of each text, as [start, end] in code points."""

    model: str | None = None
    encoding_format: EncodingFormat = Field(EncodingFormat.FLOAT, strict=False)
    dimensions: int | None = Field(None, ge=1)
    input_type: InputType | None = Field(None, strict=False)
    truncate: bool = False
    spans: list[list[Annotated[tuple[int, int], Strict(strict=False)]]] | None = None

    def checked_spans(self) -> list[list[tuple[int, int]]] | None:
        """Return the parts.

        Raises:
            BadInput: they are not those of the texts, or too many.
        """
        if self.spans is None:
            return None
        blame("spans")
        if len(self.spans) != len(self.input):
            raise BadInput(f"spans: lists for {len(self.spans)} texts, input holds {len(self.input)}")
        if sum(map(len, self.spans)) > MAX_SPANS:
            raise BadInput(f"spans: more than {MAX_SPANS} in a request; send several requests")
        for at, (text, spans) in enumerate(zip(self.input, self.spans, strict=True)):
            if not all(0 <= start <= end <= len(text) for start, end in spans):
                raise BadInput(f"spans: one of input {at} does not lie in it")
        return self.spans


class TokenizeBody(Texts):
    """``POST /v1/tokenize``."""

    offsets: bool = False


class RerankBody(BaseModel):
    """``POST /v1/rerank``, as Cohere and Jina shape it; a document is a text, or an object that holds one."""

    model_config = ConfigDict(strict=True, frozen=True)

    query: str = Field(min_length=1)
    documents: list[str] = Field(min_length=1)
    model: str | None = None
    top_n: int | None = Field(None, ge=1)
    return_documents: bool = False
    truncate: bool = False

    @field_validator("documents", mode="before")
    @classmethod
    def _as_texts(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [document.get("text") if isinstance(document, dict) else document for document in value]


B = TypeVar("B", bound=Texts)


def read(kind: type[B], document: Any, *, max_texts: int) -> B:
    """Validate a request body.

    Raises:
        BadInput: a field is absent or wrong; the message names it.
        TokenIdsRefused: the input is token ids.
    """
    blame("input")
    body = validated(kind, document)
    if len(body.input) > max_texts:
        raise BadInput(f"input: {len(body.input)} texts, the limit is {max_texts}; send several requests")
    return body


def read_rerank(document: Any, *, max_documents: int) -> RerankBody:
    """Validate the body of a rerank request.

    Raises:
        BadInput: a field is absent or wrong; the message names it.
    """
    blame("documents")
    body = validated(RerankBody, document)
    if len(body.documents) > max_documents:
        raise BadInput(f"documents: {len(body.documents)} texts, the limit is {max_documents}; send several requests")
    return body
