"""A deterministic reranker without a model: the share of the question's words that a text holds."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


class MemoryReranker:
    """Implements ``Reranker``."""

    async def relevance(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """See ``atoll.ports.reranker.Reranker``."""
        wanted = set(_WORD.findall(question.casefold()))
        return [len(wanted & set(_WORD.findall(text.casefold()))) / max(1, len(wanted)) for text in texts]
