"""Misspelt words of a question, put right by the words of the passages that were found.

A correction does harm where there is nothing to correct, so it is fenced: only a word that no passage holds, that the
embedder's tokenizer does not know as a word or as a form of one, and that is no name; and only into a word that is not
written as a name alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from atoll.domain.text.folding import folded
from atoll.errors import DependencyDown
from atoll.ports.embedder import Embedder
from atoll.query.question.concept import Concept, Part

#: Shortest word that is corrected, and from which two mistakes are.
_SHORTEST, _LONG = 4, 8
#: Misspelt words of one question that are looked at.
MAX_WORDS = 6
_ABSENT = 0.999
_WORD = re.compile(r"[^\W\d_]{4,}")
_FORMS = ("s", "es", "d", "ed", "ing", "ly", "er", "ers")
#: British and American spellings of one word.
_VARIANTS = (
    ("our", "or"),
    ("re", "er"),
    ("is", "iz"),
    ("ys", "yz"),
    ("ogue", "og"),
    ("ll", "l"),
    ("ae", "e"),
    ("oe", "e"),
    ("ence", "ense"),
)
_FUNCTION_WORDS = frozenset(
    {
        "which",
        "what",
        "when",
        "where",
        "there",
        "their",
        "does",
        "have",
        "with",
        "this",
        "that",
        "from",
        "many",
        "much",
        "they",
        "should",
        "would",
        "could",
        "because",
        "about",
    }
)


def vocabulary(texts: Iterable[str]) -> Mapping[str, int]:
    """Return the words of some texts, folded, with how often they stand, but those that always have a capital."""
    found: Counter[str] = Counter()
    small: set[str] = set()
    for text in texts:
        for match in _WORD.finditer(text):
            word = folded(match[0].casefold())
            found[word] += 1
            if match[0][0].islower() or (match.start() and text[match.start() - 1] in "|\n"):
                small.add(word)
    return {word: count for word, count in found.items() if word in small}


async def corrections(
    parts: Sequence[Concept], rarity: Mapping[int, float], words: Mapping[str, int], embedder: Embedder
) -> dict[str, str]:
    """Return what misspelt words of a question, as they are written, should have been; "" for a word of no meaning.

    Raises:
        ModelReplyInvalid: the embedder answers otherwise; while it is away nothing is put right.
    """
    absent = [
        part
        for at, part in enumerate(parts)
        if part.part is Part.WORD
        and rarity.get(at, 0.0) >= _ABSENT
        and len(part.text) >= _SHORTEST
        and part.text.isalpha()
    ][:MAX_WORDS]
    near = {part.text: other for part in absent if (other := _nearest(folded(part.text.casefold()), words))}
    if not near:
        return {}
    tried = {word: [word, *_bases(word)] for word in (each.casefold() for each in near)}
    asked = list(dict.fromkeys(form for forms in tried.values() for form in forms))
    try:
        spans = await embedder.tokenize(asked)
    except DependencyDown:  # nobody can say which words there are: none is put right
        return {}
    known = {form for form, tokens in zip(asked, spans, strict=True) if len(tokens.ends) == 1}
    return {
        word: "" if other in _FUNCTION_WORDS else other
        for word, other in near.items()
        if _is_variant(word.casefold(), other) or not known.intersection(tried[word.casefold()])
    }


def corrected(question: str, found: Mapping[str, str]) -> str:
    """Return a question with its words put right."""
    for word, other in found.items():
        question = re.sub(rf"\b{re.escape(word)}\b", other, question)
    return " ".join(question.split())


def _bases(word: str) -> list[str]:
    return [
        base for ending in _FORMS if word.endswith(ending) and len(base := word.removesuffix(ending)) >= _SHORTEST - 1
    ]


def _nearest(word: str, words: Mapping[str, int]) -> str | None:
    most = 2 if len(word) >= _LONG else 1
    found = [
        (distance, -count, other)
        for other, count in (*words.items(), *((each, 0) for each in _FUNCTION_WORDS))
        if abs(len(other) - len(word)) <= most
        and other[0] == word[0]
        and (distance := _distance(word, other, most)) <= most
    ]
    best = min(found, default=None)
    return None if best is None or best[2] == word else best[2]


def _distance(first: str, second: str, most: int) -> int:
    """Return the number of letters left out, put in, exchanged or swapped, or ``most + 1`` if there are more."""
    before: list[int] = []
    row = list(range(len(second) + 1))
    for at, letter in enumerate(first, start=1):
        older, before, row = before, row, [at]
        for place, other in enumerate(second, start=1):
            cost = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (letter != other))
            if at > 1 and place > 1 and letter == second[place - 2] and first[at - 2] == other:
                cost = min(cost, older[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _is_variant(word: str, other: str) -> bool:
    return any(word.replace(a, b) == other or word.replace(b, a) == other for a, b in _VARIANTS)
