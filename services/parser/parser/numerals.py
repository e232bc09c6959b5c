"""Numbers as lists print them: digits, letters, roman numerals."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_MOST_ROMAN = 3999


def letters(number: int) -> str:
    """A, B, ..., Z, AA, AB in lower case; digits below 1."""
    if number < 1:
        return str(number)
    written = ""
    while number > 0:
        number, digit = divmod(number - 1, 26)
        written = chr(ord("a") + digit) + written
    return written


def repeated_letters(number: int) -> str:
    """A, B, ..., Z, AA, BB in lower case, as word processors count; digits below 1."""
    if number < 1:
        return str(number)
    times, digit = divmod(number - 1, 26)
    return chr(ord("a") + digit) * (times + 1)


def roman(number: int) -> str:
    """Roman numerals in lower case; digits where there are none."""
    if not 0 < number <= _MOST_ROMAN:
        return str(number)
    written = ""
    for value, sign in _ROMAN:
        while number >= value:
            written, number = written + sign, number - value
    return written
