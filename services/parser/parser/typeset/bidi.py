"""Display order of mixed left-to-right and right-to-left text: the Unicode Bidirectional Algorithm, UAX #9.

Text arrives without directional formatting characters (`parser.text` removes them), so rules X1 to X10 leave one
isolating run sequence, the paragraph, with its own level at both ends. Mirroring (L4) and the order of marks (L3) are
left to HarfBuzz.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG = frozenset({"L", "R", "AL"})
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})
_NUMBER = frozenset({"EN", "AN"})

_PAIRS = (
    "()[]{}\u2045\u2046\u207d\u207e\u208d\u208e\u2329\u232a\u27e6\u27e7\u27e8\u27e9\u3008\u3009\u300a\u300b"
    "\u300c\u300d\u300e\u300f\u3010\u3011\uff08\uff09\uff3b\uff3d\uff5b\uff5d"
)
_CLOSING = dict(zip(_PAIRS[0::2], _PAIRS[1::2], strict=True))
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}
#: UAX #9, BD16: deeper nesting is not looked at.
_DEEPEST = 63


def has_right_to_left(text: str) -> bool:
    """Whether display order may differ from logical order."""
    return not text.isascii() and _RIGHT_TO_LEFT.search(text) is not None


def base_level(text: str) -> int:
    """0 for a left-to-right paragraph, 1 for a right-to-left one, by its first strong character (P2, P3)."""
    first = next((kind for kind in map(unicodedata.bidirectional, text) if kind in _STRONG), "L")
    return int(first != "L")


def embedding_levels(text: str, base: int) -> list[int]:
    """The level of each character of a paragraph: W1 to W7, N0 to N2, I1 and I2."""
    kinds = [unicodedata.bidirectional(character) or "L" for character in text]
    edge = "R" if base else "L"
    _resolve_weak(kinds, edge)
    _resolve_brackets(text, kinds, edge)
    _resolve_neutral(kinds, edge)
    return [_level(kind, base) for kind in kinds]


def display_order(levels: list[int]) -> list[int]:
    """The positions of a line's characters from left to right (L2)."""
    order = list(range(len(levels)))
    highest = max(levels, default=0)
    lowest_odd = min((level for level in levels if level % 2), default=highest + 1)
    for threshold in range(highest, lowest_odd - 1, -1):
        start = 0
        for is_run, run in groupby(order, key=lambda position: levels[position] >= threshold):
            members = list(run)
            if is_run:
                order[start : start + len(members)] = reversed(members)
            start += len(members)
    return order


def _level(kind: str, base: int) -> int:
    if kind in _NUMBER:
        return base + 2 - base % 2
    return base + ((kind == "R") != bool(base % 2))


def _resolve_weak(kinds: list[str], edge: str) -> None:
    before = strong = edge
    for index, kind in enumerate(kinds):  # W1 to W3; W2 looks at AL, which W3 would hide
        current = before if kind == "NSM" else kind
        before = current
        if current in _STRONG:
            strong = current
        kinds[index] = "AN" if current == "EN" and strong == "AL" else current
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]
    for index in range(1, len(kinds) - 1):  # W4
        around = kinds[index - 1]
        if around == kinds[index + 1] and (
            (kinds[index] == "ES" and around == "EN") or (kinds[index] == "CS" and around in _NUMBER)
        ):
            kinds[index] = around
    start = 0
    for kind, run in [(kind, len(list(run))) for kind, run in groupby(kinds)]:  # W5
        end = start + run
        beside = (kinds[start - 1] if start else "", kinds[end] if end < len(kinds) else "")
        if kind == "ET" and "EN" in beside:
            kinds[start:end] = ["EN"] * run
        start = end
    strong = edge
    for index, kind in enumerate(kinds):  # W6, W7
        if kind in {"L", "R"}:
            strong = kind
        elif kind in {"ES", "ET", "CS", "BN"}:
            kinds[index] = "ON"
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"


def _resolve_brackets(text: str, kinds: list[str], edge: str) -> None:
    """N0: a pair takes one direction, so that it is mirrored or not as one."""
    for opening, closing in _bracket_pairs(text, kinds):
        inside = {_direction(kind) for kind in kinds[opening + 1 : closing]} - {""}
        if edge in inside:
            found = edge
        elif inside:
            before = next((d for d in map(_direction, reversed(kinds[:opening])) if d), edge)
            found = before if before in inside else edge
        else:
            continue
        kinds[opening] = kinds[closing] = found


def _bracket_pairs(text: str, kinds: list[str]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    stack: list[tuple[str, int]] = []
    for index, character in enumerate(text):
        if kinds[index] != "ON":
            continue
        if character in _CLOSING:
            if len(stack) == _DEEPEST:
                break
            stack.append((character, index))
        elif character in _OPENING:
            for depth in range(len(stack) - 1, -1, -1):
                if stack[depth][0] == _OPENING[character]:
                    pairs.append((stack[depth][1], index))
                    del stack[depth:]
                    break
    return sorted(pairs)


def _direction(kind: str) -> str:
    """L or R as N0 and N1 see it, empty for a neutral."""
    return "R" if kind in _NUMBER else kind if kind in {"L", "R"} else ""


def _resolve_neutral(kinds: list[str], edge: str) -> None:
    start = 0
    for is_neutral, run in [(key, len(list(run))) for key, run in groupby(kinds, key=_NEUTRAL.__contains__)]:
        end = start + run
        if is_neutral:  # N1, N2
            before = _direction(kinds[start - 1]) if start else edge
            after = _direction(kinds[end]) if end < len(kinds) else edge
            kinds[start:end] = [before if before == after else edge] * run
        start = end
