"""Number formats of workbooks: from a stored number to the text that its reader sees in the cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parser.formats.sheets.dates import Moment, moment
from parser.formats.sheets.digits import fraction, set_digits
from parser.formats.sheets.format_codes import is_sign, literal, sections

if TYPE_CHECKING:
    from parser.formats.sheets.format_codes import Section, Token

_LONGEST_WHOLE = 15
_SIGNIFICANT = 10
_TWO_SECTIONS, _THREE_SECTIONS = 2, 3


def is_date(code: str) -> bool:
    """Whether a format shows dates or times."""
    return any(section.is_date for section in sections(code))


def shown_number(value: float, code: str, *, from_1904: bool = False) -> str:
    """The text of a number under a format, as the cell shows it.

    Dates count days from 1900, or from 1904 in workbooks that say so.
    """
    section, value = _chosen(sections(code), value)
    if section is None:
        return plain_number(value)
    if section.is_date:
        found = moment(value, from_1904=from_1904)
        return plain_number(value) if found is None else _of_moment(section, found, value)
    return _of_number(section, value)


def shown_text(text: str, code: str) -> str:
    """The text of a text cell under a format: its fourth section may set something around it."""
    last = sections(code)[-1]
    if not any(token.kind == "sign" and token.text == "@" for token in last.tokens):
        return text
    return "".join(text if token.kind == "sign" and token.text == "@" else literal(token) for token in last.tokens)


def plain_number(value: float) -> str:
    """A number as it is shown without any format: whole numbers whole, others with ten digits."""
    if value != value or value in {float("inf"), float("-inf")}:  # noqa: PLR0124 - not a number
        return ""
    if value == int(value) and abs(value) < 10**_LONGEST_WHOLE:
        return str(int(value))
    text = f"{value:.{_SIGNIFICANT}g}"
    return text.replace("e", "E") if "e" in text else text


def _chosen(found: tuple[Section, ...], value: float) -> tuple[Section | None, float]:
    """The section for a value, and the value without its sign where the section stands for negative ones."""
    for section in found:
        if section.condition is not None and _holds(section.condition, value):
            return section, abs(value) if value < 0 and section is not found[0] else value
    if any(section.condition for section in found):
        rest = [section for section in found if section.condition is None]
        return (rest[-1] if rest else None), value
    if value < 0 and len(found) >= _TWO_SECTIONS:
        return found[1], -value
    if value == 0 and len(found) >= _THREE_SECTIONS:
        return found[2], value
    return found[0], value


def _holds(condition: tuple[str, float], value: float) -> bool:
    sign, bound = condition
    return {
        "<": value < bound, ">": value > bound, "<=": value <= bound, ">=": value >= bound, "=": value == bound,
        "<>": value != bound,
    }[sign]  # fmt: skip


def _of_number(section: Section, value: float) -> str:
    tokens = section.tokens
    if any(token.kind == "general" for token in tokens):
        return "".join(plain_number(value) if token.kind == "general" else literal(token) for token in tokens).strip()
    digits = [at for at, token in enumerate(tokens) if token.kind == "digit"]
    if not digits:
        text = "".join(plain_number(value) if token.text == "@" else literal(token) for token in tokens)
        return text.strip()
    if any(token.kind == "sign" and token.text == "/" for token in tokens[digits[0] :]):
        return fraction(tokens, value)
    scaled = value * 100 ** sum(token.kind == "sign" and token.text == "%" for token in tokens)
    commas = 0
    for token in tokens[digits[-1] + 1 :]:
        if token.kind != "sign" or token.text != ",":
            break
        commas += 1
    return set_digits(tokens, scaled / 1000**commas, digits, is_negative=value < 0)


def _of_moment(section: Section, found: Moment, value: float) -> str:
    tokens = section.tokens
    has_half = any(token.kind == "ampm" for token in tokens)
    dated = [at for at, token in enumerate(tokens) if token.kind in {"date", "elapsed"}]
    out: list[str] = []
    decimals = 0
    for at, token in enumerate(tokens):
        if token.kind == "date":
            before = next((tokens[other] for other in reversed(dated) if other < at), None)
            after = next((tokens[other] for other in dated if other > at), None)
            out.append(found.part(token.text.lower(), is_minute=_is_minute(token, before, after), is_half=has_half))
        elif token.kind == "elapsed":
            out.append(found.elapsed(token.text, value))
        elif token.kind == "ampm":
            out.append(found.half(token.text))
        elif token.kind == "digit":
            decimals += 1
        elif is_sign(token, ".") and at + 1 < len(tokens) and tokens[at + 1].kind == "digit":
            count = sum(other.kind == "digit" for other in tokens[at:])
            out.append(found.fraction(count))
        else:
            out.append(literal(token))
    text = "".join(out).strip()
    return f"-{text}" if value < 0 and any(token.kind == "elapsed" for token in tokens) else text


def _is_minute(token: Token, before: Token | None, after: Token | None) -> bool:
    """Whether "m" stands for minutes: after hours or before seconds."""
    if token.text[0].lower() != "m" or len(token.text) > 2:  # noqa: PLR2004
        return False
    return (before is not None and before.text[0].lower() == "h") or (
        after is not None and after.text[0].lower() == "s"
    )
