"""Request bodies and replies."""

from __future__ import annotations

import base64
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from atoll.serving.errors import ErrorReply
from colpali.backend import PageVectors, Vectors

MAX_LINES = 2_000
MAX_LINE_CHARACTERS = 8_192
MAX_QUERY_CHARACTERS = 4_096
MAX_REQUEST_QUERIES = 32

Number = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Body(BaseModel):
    """Unknown fields are ignored."""

    model_config = ConfigDict(frozen=True)


class LineBody(Body):
    """A text line or table row with its box in the page's own units."""

    text: str = Field(max_length=MAX_LINE_CHARACTERS)
    box: tuple[Number, Number, Number, Number]


class PageBody(Body):
    """``image`` is base64 of PNG, WebP or JPEG."""

    width: Side
    height: Side
    image: str | None = None
    lines: list[LineBody] = Field(default_factory=list, max_length=MAX_LINES)


class PagesBody(Body):
    """``POST /v1/pages``."""

    pages: list[PageBody] = Field(min_length=1)


class QueriesBody(Body):
    """``POST /v1/queries``."""

    queries: list[Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARACTERS)]] = Field(
        min_length=1, max_length=MAX_REQUEST_QUERIES
    )


def half(vectors: Vectors) -> str:
    """Return base64 of little-endian float16, row after row."""
    return base64.b64encode(vectors.astype("<f2").tobytes()).decode("ascii")


def page_reply(index: int, page: PageVectors) -> dict[str, object]:
    """Render a page."""
    return {
        "index": index,
        "vectors": half(page.vectors),
        "count": len(page.vectors),
        "dimensions": page.vectors.shape[1],
        "grid": page.grid,
        "rows": half(page.rows),
        "cols": half(page.cols),
    }


def failure_reply(index: int, reply: ErrorReply) -> dict[str, object]:
    """Render what befell one page."""
    return {"index": index, **reply.body}


def query_reply(index: int, vectors: Vectors) -> dict[str, object]:
    """Render a query."""
    return {"index": index, "vectors": half(vectors), "count": len(vectors), "dimensions": vectors.shape[1]}
