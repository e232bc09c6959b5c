"""The codes of number formats, taken apart: digits, letters of dates, and what is written as it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: Formats that files name by number only. Those whose order of day and month follows the reader's machine are written
#: with the year first, so that no one takes a day for a month.
BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;-#,##0.00", 41: "#,##0;-#,##0", 42: "#,##0;-#,##0", 43: "#,##0.00;-#,##0.00",
    44: "#,##0.00;-#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<blank>.)|\*(?P<filled>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<ampm>AM/PM|A/P)|(?P<general>General)|(?P<exponent>[Ee][+-])|(?P<date>y+|m+|d+|h+|s+)"
    r"|(?P<digit>[0#?])|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|=|<|>)\s*(-?\d+(?:\.\d+)?)$")
_CURRENCY = re.compile(r"\$([^-\]]*)")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_MOST_FORMAT = 300


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a code: ``kind`` is the name of the group that found it."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands between semicolons; ``condition`` is the sign and the bound for which values it is."""

    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None
    is_date: bool


@lru_cache(maxsize=512)
def sections(code: str) -> tuple[Section, ...]:
    """The sections of a code, of its first characters."""
    code = code[:_MOST_FORMAT] or "General"
    sections: list[Section] = []
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or "sign"
        text = found[kind]
        if kind == "sign" and text == ";":
            sections.append(_section(tokens, condition))
            tokens, condition = [], None
        elif kind == "bracket":
            if tested := _CONDITION.match(text):
                condition = tested[1], float(tested[2])
            elif currency := _CURRENCY.match(text):
                tokens.append(Token("quoted", currency[1]))
            elif _ELAPSED.fullmatch(text):
                tokens.append(Token("elapsed", text.lower()))
        else:
            tokens.append(Token(kind, text))
    sections.append(_section(tokens, condition))
    return tuple(sections)


def _section(tokens: list[Token], condition: tuple[str, float] | None) -> Section:
    dated = any(token.kind in {"date", "elapsed", "ampm"} for token in tokens)
    return Section(tuple(tokens), condition, dated and not any(token.kind == "general" for token in tokens))


def literal(token: Token) -> str:
    """What is written for a part that stands for itself."""
    if token.kind in {"quoted", "escaped"}:
        return token.text
    return " " if token.kind == "blank" else "" if token.kind == "filled" else token.text


def is_sign(token: Token, *signs: str) -> bool:
    """Whether a part is one of these signs."""
    return token.kind == "sign" and token.text in signs
