"""Sets the digits of a number into the places that its format has for them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING

from parser.formats.sheets.format_codes import is_sign, literal

if TYPE_CHECKING:
    from parser.formats.sheets.format_codes import Token

_MOST_DIGITS = 30


def set_digits(tokens: tuple[Token, ...], value: float, digits: list[int], *, is_negative: bool) -> str:
    """The digits of a number in their places, with what stands before, between and after them."""
    point = next((at for at in range(digits[0], digits[-1]) if is_sign(tokens[at], ".")), None)
    if point is None and digits[0] > 0 and is_sign(tokens[digits[0] - 1], "."):
        point = digits[0] - 1
    exponent = next((at for at, token in enumerate(tokens) if token.kind == "exponent"), None)
    mantissa_end = digits[-1] + 1 if exponent is None else exponent
    whole = [at for at in digits if at < (mantissa_end if point is None else point)]
    decimals = [at for at in digits if point is not None and point < at < mantissa_end][:_MOST_DIGITS]
    power = ""
    if exponent is not None:
        value, power = _scientific(value, len(whole), len(decimals), tokens, exponent)
    is_grouped = any(is_sign(tokens[at], ",") for at in range(digits[0], whole[-1] if whole else digits[0]))
    text = _rounded(abs(value), len(decimals))
    integer, _, fraction = text.partition(".")
    fraction = _trimmed(fraction, [tokens[at].text for at in decimals])
    has_number = bool(integer.strip("0") or fraction.strip("0"))
    sign = "-" if is_negative and has_number else ""
    return _placed(
        tokens, _Parts(sign, _padded(integer, tokens, whole), fraction, power, is_grouped), point, mantissa_end
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    sign: str
    integer: str
    fraction: str
    power: str
    is_grouped: bool


def _placed(tokens: tuple[Token, ...], parts: _Parts, point: int | None, end: int) -> str:
    """Literals and digits in the order of the format."""
    whole = [at for at, token in enumerate(tokens) if token.kind == "digit" and at < (end if point is None else point)]
    interrupted = any(tokens[at].kind in {"quoted", "escaped"} or is_sign(tokens[at], "-", " ", "(", ")", ":")
                      for at in range(whole[0], whole[-1])) if whole else False  # fmt: skip
    out: list[str] = []
    rest = list(parts.integer)
    for at, token in enumerate(tokens):
        if token.kind == "exponent":
            out.append(parts.power)
        elif at == point:
            out += [] if whole else [parts.integer.lstrip("0")]
            out += ["."] if parts.fraction or _keeps_point(tokens, at) else []
            out.append(parts.fraction)
        elif token.kind == "digit":
            if not whole or at not in whole:
                continue
            if not interrupted:
                out.append(_grouped(parts.integer, parts.is_grouped) if at == whole[0] else "")
            else:
                left = sum(other > at for other in whole)
                taken = rest[: max(0, len(rest) - left)]
                rest = rest[len(taken) :]
                out.append("".join(taken))
        elif is_sign(token, ",") and whole and at > whole[0]:
            continue
        else:
            out.append(literal(token))
    text = "".join(out)
    return (parts.sign + text.strip()) if text.strip() else ""


def _keeps_point(tokens: tuple[Token, ...], at: int) -> bool:
    return at + 1 < len(tokens) and tokens[at + 1].kind == "digit" and tokens[at + 1].text in "0?"


def _padded(integer: str, tokens: tuple[Token, ...], whole: list[int]) -> str:
    least = 0
    for order, at in enumerate(reversed(whole), start=1):
        if tokens[at].text == "0":
            least = order
    integer = integer.lstrip("0")
    return integer.rjust(min(least, _MOST_DIGITS), "0")


def _trimmed(fraction: str, places: list[str]) -> str:
    """Decimals without the zeros that their places leave out."""
    for place in reversed(places):
        if place == "0" or not fraction.endswith("0"):
            break
        fraction = fraction[:-1]
    return fraction


def _rounded(value: float, decimals: int) -> str:
    try:
        return format(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), "f")
    except InvalidOperation:
        return f"{value:.{decimals}f}"


def _grouped(integer: str, is_grouped: bool) -> str:
    if not is_grouped or not integer:
        return integer
    first = len(integer) % 3 or 3
    return ",".join([integer[:first], *(integer[at : at + 3] for at in range(first, len(integer), 3))])


def _scientific(value: float, whole: int, decimals: int, tokens: tuple[Token, ...], at: int) -> tuple[float, str]:
    """Mantissa and written exponent."""
    least = max(1, sum(token.kind == "digit" for token in tokens[at:]))
    power = 0 if value == 0 else int(f"{abs(value):e}".partition("e")[2])
    step = max(1, whole)
    power -= power % step if step > 1 else 0
    mantissa = value / 10.0**power
    if float(_rounded(abs(mantissa), decimals)) >= 10**step:
        power += step
        mantissa = value / 10.0**power
    sign = "-" if power < 0 else "+" if tokens[at].text.endswith("+") else ""
    return mantissa, f"E{sign}{abs(power):0{least}d}"


def fraction(tokens: tuple[Token, ...], value: float) -> str:
    """A number as whole and fraction, with as many digits below the line as the format has places."""
    slash = next(at for at, token in enumerate(tokens) if is_sign(token, "/"))
    below = [token for token in tokens[slash + 1 :] if token.kind == "digit" or token.text.isdecimal()]
    fixed = "".join(token.text for token in below if token.text.isdecimal())
    above = 0
    for token in reversed(tokens[:slash]):
        if token.kind != "digit":
            break
        above += 1
    has_whole = sum(token.kind == "digit" for token in tokens[:slash]) > above
    amount = abs(value)
    whole = int(amount) if has_whole else 0
    part = amount - whole
    if fixed.strip("0"):
        denominator = int(fixed[:4])
        numerator = round(part * denominator)
    else:
        most = 10 ** min(max(len(below), 1), 3) - 1
        numerator, denominator = min(
            ((round(part * each), each) for each in range(1, most + 1)),
            key=lambda pair: (abs(pair[0] / pair[1] - part), pair[1]),
        )
    if has_whole and numerator == denominator:
        whole, numerator = whole + 1, 0
    sign = "-" if value < 0 else ""
    if numerator == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole} {numerator}/{denominator}" if whole else f"{sign}{numerator}/{denominator}"
