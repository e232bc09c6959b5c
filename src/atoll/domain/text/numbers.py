"""Numbers in the spellings of documents and questions: 1,234,567 and 1 234 567, 1.5 million, twelve, 14:30 and 2:30 pm.

A number's value is a text, ``1234567`` or ``7.4``: figures are compared, not computed with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

_BLANKS = "\u0020\u00a0\u2007\u2009\u202f"
#: Digits in groups of three. Commas, apostrophes and two or more points say so; a blank or one point may mean another
#: thing.
GROUPED = re.compile(
    rf"(?<![\w.,'’])\d{{1,3}}(?:(?:,\d{{3}})+|(?:['’]\d{{3}})+|(?:[{_BLANKS}]\d{{3}})+|(?:\.\d{{3}})+)(?!\d)(?![,.'’]\d{{3}})"
)
_SEPARATORS = re.compile(rf"[,.'’{_BLANKS}]")

#: Zero to twenty and the tens from thirty on, a line for each of English, German, French, Spanish and Italian.
_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen \
eighteen nineteen twenty
null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn \
achtzehn neunzehn zwanzig
zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit \
dix-neuf vingt
cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete \
dieciocho diecinueve veinte
zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici \
diciassette diciotto diciannove venti
"""
_TENS = """
thirty forty fifty sixty seventy eighty ninety
dreißig vierzig fünfzig sechzig siebzig achtzig neunzig
trente quarante cinquante soixante
treinta cuarenta cincuenta sesenta setenta ochenta noventa
trenta quaranta cinquanta sessanta settanta ottanta novanta
"""
WORDS = {word: number for words in _UNITS.strip().splitlines() for number, word in enumerate(words.split())}
WORDS |= {
    word: 10 * number for words in _TENS.strip().splitlines() for number, word in enumerate(words.split(), start=3)
}
WORDS |= {"ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "dozen": 12, "dutzend": 12}
_FACTORS = {
    "hundred": 2, "hundert": 2, "cent": 2, "cents": 2, "cien": 2, "ciento": 2, "thousand": 3, "tausend": 3, "mille": 3,
    "mil": 3, "million": 6, "millions": 6, "millionen": 6, "mio": 6, "millones": 6, "millón": 6, "milioni": 6,
    "billion": 9, "milliarde": 9, "milliarden": 9, "milliards": 9, "mrd": 9, "k": 3, "m": 6, "bn": 9,
}  # fmt: skip
_ONLY_BESIDE_FIGURES = frozenset({"k", "m", "bn", "mil", "mille"})

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_FRACTION = re.compile(r"(\d*)\s?([¼½¾⅓⅔⅛])")
_FRACTIONS = {"¼": "25", "½": "5", "¾": "75", "⅓": "333", "⅔": "667", "⅛": "125"}
_HAN = re.compile(r"[〇一二三四五六七八九十百千两]{1,7}")
_HAN_DIGITS = {digit: number for number, digit in enumerate("〇一二三四五六七八九")} | {"两": 2}
_HAN_FACTORS = {"十": 10, "百": 100, "千": 1000}
_CLOCK = re.compile(r"\b(\d{1,2})(?:[:.h]([0-5]\d))?\s?([ap])\.?m\b\.?", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class Number(NamedTuple):
    """A number in a text, ``text[start:end]``, and its value as plain digits."""

    start: int
    end: int
    value: str


def value_of(digits: str) -> str:
    """Return a figure's value without thousands marks and needless zeros; both conventions come to the same."""
    *whole, last = re.split(r"[.,]", digits)
    if whole and not (len(last) == 3 and all(len(part) == 3 for part in whole[1:]) and whole[0] != "0"):  # noqa: PLR2004
        return f"{int(''.join(whole))}.{last.rstrip('0') or '0'}".removesuffix(".0")
    return str(int("".join((*whole, last))))


def values_of(digits: str) -> frozenset[str]:
    """Return every value that a figure may have: 1.500 is 1500 and 1.5."""
    found = {value_of(digits)}
    *whole, last = re.split(r"[.,]", digits)
    if len(whole) == 1:
        found.add(f"{int(whole[0])}.{last.rstrip('0') or '0'}".removesuffix(".0"))
    return frozenset(found)


def values_of_word(word: str) -> frozenset[str]:
    """Return every value that a figure or a single number word may have; none for another word."""
    if word[:1].isdecimal():
        return values_of(word)
    value = _of_word(word.casefold())
    return frozenset() if value is None else frozenset({value})


def grouped(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where figures with thousands marks stand, and their digits alone."""
    for match in GROUPED.finditer(text):
        yield match.start(), match.end(), _SEPARATORS.sub("", match[0])


def word_values(text: str) -> Iterator[Number]:
    """Yield the numbers that are written with words, fractions, Han numerals or am and pm, with their values."""
    yield from _spelled(text)
    for match in _FRACTION.finditer(text):
        yield Number(*match.span(), f"{int(match[1] or 0)}.{_FRACTIONS[match[2]]}")
    for match in _HAN.finditer(text):
        yield Number(*match.span(), str(_han(match[0])))
    for match in _CLOCK.finditer(text):
        hour = int(match[1]) % 12 + (12 if match[3].lower() == "p" else 0)
        yield Number(*match.span(), f"{hour}:{match[2] or '00'}")


def _spelled(text: str) -> Iterator[Number]:
    """Yield "twelve", "twenty-one", "two hundred", "1.5 million"."""
    total, start, end, figure = None, 0, 0, False
    parts = sorted(
        [(*match.span(), match[0], True) for match in _FIGURE.finditer(text)]
        + [(*match.span(), match[0].casefold(), False) for match in _WORD.finditer(text)]
    )
    for left, right, word, is_figure in parts:
        value = value_of(word) if is_figure else _of_word(word)
        grows = not is_figure and word in _FACTORS and (figure or word not in _ONLY_BESIDE_FIGURES)
        if total is not None and grows and not text[end:left].strip(" .-"):
            total, end = _shifted(total, _FACTORS[word]), right
            yield Number(start, end, total)
            continue
        if value is None:
            total = None
            continue
        total, start, end, figure = value, left, right, is_figure
        if not is_figure:
            yield Number(left, right, value)


def _of_word(word: str) -> str | None:
    if word in WORDS:
        return str(WORDS[word])
    tens, _, ones = word.partition("-")
    if tens in WORDS and ones in WORDS:
        return str(WORDS[tens] + WORDS[ones])
    return None


def _shifted(value: str, places: int) -> str:
    whole, _, part = value.partition(".")
    part = part.ljust(places, "0")
    rest = part[places:].rstrip("0")
    return str(int(whole + part[:places])) + (f".{rest}" if rest else "")


def _han(text: str) -> int:
    total, digit = 0, 0
    for char in unicodedata.normalize("NFKC", text):
        if char in _HAN_FACTORS:
            total += (digit or 1) * _HAN_FACTORS[char]
            digit = 0
        else:
            digit = _HAN_DIGITS[char]
    return total + digit
