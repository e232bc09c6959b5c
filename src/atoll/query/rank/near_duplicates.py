"""One entry for passages that several documents share word for word.

Texts that differ in one word stay apart: of two house rules that say "permitted" and "not permitted" each is evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.ids import DocumentUid
from atoll.domain.passage import Passage

#: Words, numbers with their sign and their points, and signs that say something about a number.
_WORDS = re.compile(r"[-\u2212+±<>≤≥=]?\s?\d+(?:[.,:/]\d+)*|[^\W_]+|[+<>≤≥=±~%‰°$€£¥§]")


@dataclass(frozen=True, slots=True)
class Shared:
    """A passage and the other documents that hold the same text."""

    passage: Passage
    also_in: tuple[DocumentUid, ...]


def collapse(passages: Sequence[Passage]) -> list[Shared]:
    """Keep the first of each group of passages of different documents with the same words in the same order.

    White space, case and punctuation between words make no difference. Two passages of one document both stay: they
    stand on different pages for a reason.
    """
    kept: list[Passage] = []
    documents: list[dict[DocumentUid, None]] = []
    groups: dict[str, list[int]] = {}
    for passage in passages:
        twins = groups.setdefault(wording(passage.text), [])
        twin = next((at for at in twins if passage.document not in documents[at]), None)
        if twin is None:
            twins.append(len(kept))
            kept.append(passage)
            documents.append({passage.document: None})
        else:
            documents[twin][passage.document] = None
    return [Shared(passage, tuple(own)[1:]) for passage, own in zip(kept, documents, strict=True)]


def wording(text: str) -> str:
    """Return a text's words and numbers in one spelling; a text without any comes back as it is written."""
    words = _WORDS.findall(unicodedata.normalize("NFKC", text).casefold())
    return " ".join(word.replace(" ", "") for word in words) or text
