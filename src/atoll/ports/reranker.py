"""Reads a question together with each of a few texts and says how relevant they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """A cross-encoder. It answers within a time of its own, and is not asked again for a while when it is not there."""

    async def relevance(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """Return a relevance between 0 and 1 for each text, in the order of ``texts``; None without a cross-encoder.

        Raises:
            DependencyDown: the server is away, overloaded or too slow.
            ModelReplyInvalid: the server's answer is not what was asked for.
            BadInput: the server refuses a text.
        """
        ...
