"""How unlike written language a text is: what tells the right encoding from a wrong one."""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache

#: Letters beyond ASCII that languages of Latin writing use; a text keeps to those of one.
_ALPHABETS = (
    "äöüßéà", "éèàâêîôûçëïùœæü", "ñáéíóúüçï", "ãõáéíóúâêôçàü", "åäöéü", "åæøéòô", "àèéìíòóùú", "áéíóöőúüű",
    "ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ăâîșțşţ", "čćđšž", "çğıöşüİâî", "õäöüšž", "āčēģīķļņšūž",
    "ąčęėįšųūž", "áðéíóúýþæö", "ëïéèöü",
)  # fmt: skip
_ALPHABET_SETS = tuple(frozenset(letters + letters.upper()) for letters in _ALPHABETS)
#: The commonest letters of Cyrillic, Greek, Hebrew and Arabic writing.
_COMMON = frozenset("оеаинтсрвлкмдпуяыьгзбіє" + "αοιετσνρκπυμλάέήίόύώς" + "יוהלאתרמשבנםכחס" + "ايلمنرتوبةهعدسفقك")
_PUNCTUATION = frozenset(
    "\u2019\u2018\u201c\u201d\u201e\u2013\u2014\u2026\u00a0\u20ac\u00b0\u00a7\u00ab\u00bb\u00bf\u00a1\u2022\u00b1\u00b2\u00b3\u00b5\u00d7\u00bd\u00a3"
)
_FOREIGN, _RARE, _SIGN, _CONTROL = 1.5, 1.0, 2.0, 8.0
_LAST_ASCII = 127


def cost(text: str) -> float:
    """The mean cost of the characters outside ASCII, 0 for what is usual; higher is less likely to be language."""
    foreign = [character for character in text if ord(character) > _LAST_ASCII]
    if not foreign:
        return 0.0
    alphabet = _alphabet(foreign)
    total = sum(_own(character, character in alphabet) for character in foreign)
    padded = f" {text} "
    for at in range(1, len(padded) - 1):
        if ord(padded[at]) > _LAST_ASCII or ord(padded[at - 1]) > _LAST_ASCII or ord(padded[at + 1]) > _LAST_ASCII:
            total += _between(padded[at - 1], padded[at], padded[at + 1])
    return total / len(foreign)


def _alphabet(foreign: list[str]) -> frozenset[str]:
    """The letters of the language that most of the foreign characters belong to."""
    counts = Counter(foreign)
    return max(_ALPHABET_SETS, key=lambda letters: sum(counts[letter] for letter in counts.keys() & letters))


@lru_cache(maxsize=8192)
def _own(character: str, is_of_alphabet: bool) -> float:
    if is_of_alphabet or character in _COMMON or character in _PUNCTUATION:
        return 0.0
    category = unicodedata.category(character)
    if category[0] == "L":
        if _script(character) == "LATIN":
            return _FOREIGN
        return 0.6 if character.casefold() in _COMMON else _RARE
    if category in {"Cc", "Co", "Cn"} or character == "\ufffd":
        return _CONTROL
    return _SIGN


@lru_cache(maxsize=32_768)
def _between(before: str, character: str, after: str) -> float:
    """What it costs that a character stands between two others: signs within words, changes of case and script."""
    first, own, last = map(unicodedata.category, (before, character, after))
    if own[0] == "L":
        if first[0] != "L":
            return 0.0
        mixed = _script(before) != _script(character)
        return 4.0 * mixed + 3.0 * (first == "Ll" and own == "Lu")
    if first[0] == "L" and last[0] == "L" and ord(character) > _LAST_ASCII:
        return 0.0 if character in "\u2019\u00b7\u00ad" else _SIGN
    return 1.0 if own[0] in "SC" and "L" in {first[0], last[0]} and character not in _PUNCTUATION else 0.0


@lru_cache(maxsize=8192)
def _script(character: str) -> str:
    return unicodedata.name(character, "?").split(" ", 1)[0]
