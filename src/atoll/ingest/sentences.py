"""Where a text may be cut: after sentences, else after words."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from atoll.domain.text.sentences import sentences


def sentence_ends(text: str) -> list[int]:
    """Positions after which a sentence ends, ascending; so does every line."""
    return [span.end for span in sentences(text)]


def cut(text: str, token_ends: Sequence[int], max_tokens: int, more_ends: Sequence[int] = ()) -> list[tuple[int, int]]:
    """Cut ``text`` into spans of at most ``max_tokens`` tokens.

    Args:
        text: what to cut.
        token_ends: the character position after each token, ascending.
        max_tokens: the most tokens in a span, at least 1.
        more_ends: further positions where a cut does no harm, ascending.

    Returns:
        Spans (start, end) that cover the text but for white space between them. A span ends after a sentence where
        one ends in it at all, else after a word, else after a token.
    """
    if len(token_ends) <= max_tokens:
        return [(0, len(text))]
    ends = sorted({*sentence_ends(text), *more_ends})
    spans: list[tuple[int, int]] = []
    start, first = 0, 0
    while first < len(token_ends):
        if first + max_tokens >= len(token_ends):
            spans.append((start, len(text)))
            break
        limit = token_ends[first + max_tokens - 1]
        end = _best_end(text, ends, start, limit)
        spans.append((start, end))
        start = end
        while start < len(text) and text[start].isspace():
            start += 1
        while first < len(token_ends) and token_ends[first] <= start:
            first += 1
    return spans


def _best_end(text: str, ends: Sequence[int], start: int, limit: int) -> int:
    last = bisect_right(ends, limit) - 1
    if last >= 0 and ends[last] > start:
        return ends[last]
    half = start + (limit - start) // 2
    if limit < len(text) and not text[limit].isspace():
        space = max(text.rfind(" ", half, limit), text.rfind("\n", half, limit))
        if space > half:
            return space
    return limit
