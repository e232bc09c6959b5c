"""Joined forms of Arabic letters, as the presentation forms that Unicode lists for fonts without shaping.

The table is derived from the character database: a presentation form decomposes to its letter and its position.
Latin text never comes here.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff]")
_FORM_BLOCKS = (range(0xFB50, 0xFE00), range(0xFE70, 0xFEFD))
_LAM = "\u0644"


def _tables() -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    letters: dict[str, dict[str, str]] = {}
    lam_alefs: dict[str, dict[str, str]] = {}
    for block in _FORM_BLOCKS:
        for code in block:
            position, *parts = unicodedata.decomposition(chr(code)).split() or [""]
            plain = "".join(chr(int(part, 16)) for part in parts)
            if len(plain) == 1:
                letters.setdefault(plain, {}).setdefault(position, chr(code))
            elif len(plain) == 2 and plain[0] == _LAM and plain[1] in "\u0622\u0623\u0625\u0627":  # noqa: PLR2004
                lam_alefs.setdefault(plain, {})[position] = chr(code)
    return letters, lam_alefs


_LETTERS, _LAM_ALEFS = _tables()


def has_arabic(text: str) -> bool:
    """Whether the text holds letters that join."""
    return not text.isascii() and _ARABIC.search(text) is not None


def shape(text: str) -> list[tuple[str, int]]:
    """The forms to draw, in logical order, each with the position in ``text`` it stands for.

    A lam-alef ligature stands for the lam; a mark stays between its letters and does not part them.
    """
    shaped: list[tuple[str, int]] = []
    bases = [index for index, character in enumerate(text) if unicodedata.category(character) != "Mn"]
    following = dict(pairwise(bases))
    joins_before = False
    taken = -1
    for index, character in enumerate(text):
        if index not in following and index != (bases[-1] if bases else -1):
            shaped.append((character, index))  # a mark
            continue
        if index == taken:
            continue
        after = following.get(index)
        ligature = _LAM_ALEFS.get(character + text[after]) if after is not None else None
        if ligature and after is not None:
            shaped.append((ligature["<final>" if joins_before else "<isolated>"], index))
            taken, joins_before = after, False
            continue
        joins_after = _joins_on(character) and after is not None and _joins_back(text[after])
        shaped.append((_form(character, joins_before, joins_after), index))
        joins_before = joins_after
    return shaped


def _joins_on(character: str) -> bool:
    return "<initial>" in _LETTERS.get(character, {}) or character == "\u0640"


def _joins_back(character: str) -> bool:
    return "<final>" in _LETTERS.get(character, {}) or character == "\u0640"


def _form(character: str, joins_before: bool, joins_after: bool) -> str:
    forms = _LETTERS.get(character)
    if not forms:
        return character
    position = ("<isolated>", "<initial>", "<final>", "<medial>")[2 * joins_before + joins_after]
    return forms.get(position, character)
