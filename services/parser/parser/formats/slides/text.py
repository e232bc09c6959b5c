"""Paragraphs of a shape: runs, breaks, formulas, bullets and numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atoll.domain.block import BlockKind
from parser.flow import BULLET, Element
from parser.formats.slides.sight import is_unseen
from parser.formats.word.formulas import linear
from parser.numerals import letters, roman
from parser.opc import MC, A, M
from parser.raised import lowered, raised
from parser.text import flowing

_LOOKED_BACK = 40
_DEEPEST = 30
_LAST_LEVEL = 8
_LONGEST_NUMBER = 6


def paragraphs(shape: Any, *, is_list: bool) -> Iterator[Element]:
    """The paragraphs of a shape's text; with ``is_list`` they have bullets where they do not say otherwise."""
    body = next((each for each in shape.iterchildren() if str(each.tag).endswith("}txBody")), None)
    if body is None:
        return
    found = [(each, flowing(text_of(each))) for each in body.iterchildren(f"{A}p")]
    has_several = sum(bool(text) for _, text in found) > 1
    numbers: dict[int, int] = {}
    for paragraph, text in found:
        if not text:
            continue
        properties = paragraph.find(f"{A}pPr")
        level = min(_whole(properties.get("lvl") if properties is not None else None), _LAST_LEVEL)
        marker = _marker(properties, level, numbers, otherwise=BULLET if is_list and has_several else "")
        if marker:
            yield Element(BlockKind.LIST_ITEM, text, level=level, marker=marker)
        else:
            yield Element(BlockKind.PARAGRAPH, text)


def text_of(paragraph: Any) -> str:
    """A paragraph's text without what is struck out, raised and lowered signs as such."""
    parts: list[str] = []
    for child in paragraph.iterchildren():
        _add(child, parts, 0)
    return "".join(parts)


def _add(node: Any, parts: list[str], depth: int) -> None:
    if node.tag in {f"{A}r", f"{A}fld"}:
        _add_run(node, parts)
    elif node.tag == f"{A}br":
        parts.append("\n")
    elif node.tag in {f"{M}oMath", f"{M}oMathPara"}:
        parts.append(linear(node))
    elif node.tag == f"{MC}AlternateContent":
        chosen = next(node.iterchildren(f"{MC}Choice", f"{MC}Fallback"), None)
        for child in chosen.iterchildren() if chosen is not None and depth < _DEEPEST else ():
            _add(child, parts, depth + 1)
    elif depth < _DEEPEST and isinstance(node.tag, str) and node.tag.endswith("}m"):
        for child in node.iterchildren():
            _add(child, parts, depth + 1)


def _add_run(run: Any, parts: list[str]) -> None:
    text = "".join(each.text or "" for each in run.iterchildren(f"{A}t"))
    properties = run.find(f"{A}rPr")
    if properties is not None:
        if properties.get("strike", "noStrike") != "noStrike" or is_unseen(run):
            return
        shift = properties.get("baseline", "0").rstrip("%")
        if text.strip() and shift.lstrip("-").isdecimal() and int(shift[:8]):
            before = "".join(parts[-_LOOKED_BACK:])
            tail = text[len(text.rstrip()) :]
            text = (lowered(text, before) if shift.startswith("-") else raised(text, before)) + tail
    parts.append(text)


def _marker(properties: Any, level: int, numbers: dict[int, int], *, otherwise: str) -> str:
    """A paragraph's bullet or number as it is printed; ``numbers`` counts by level."""
    for deeper in [each for each in numbers if each > level]:
        del numbers[deeper]
    if properties is None:
        numbers.pop(level, None)
        return otherwise
    numbered = properties.find(f"{A}buAutoNum")
    if numbered is None:
        numbers.pop(level, None)
        if properties.find(f"{A}buNone") is not None:
            return ""
        has_bullet = properties.find(f"{A}buChar") is not None or properties.find(f"{A}buBlip") is not None
        return BULLET if has_bullet else otherwise
    number = numbers.get(level, max(1, _whole(numbered.get("startAt"), 1)) - 1) + 1
    numbers[level] = number
    return numeral(number, numbered.get("type", "arabicPeriod"))


def numeral(number: int, type_: str) -> str:
    """A number as a slide prints it, by type such as "alphaLcParenR"."""
    if type_.startswith("alpha"):
        written = letters(number)
    elif type_.startswith("roman"):
        written = roman(number)
    else:
        written = str(number)
    if type_[5:].startswith("Uc"):
        written = written.upper()
    if type_.endswith("ParenBoth"):
        return f"({written})"
    return f"{written})" if type_.endswith("ParenR") else f"{written}." if type_.endswith("Period") else written


def _whole(text: str | None, otherwise: int = 0) -> int:
    return int(text) if text and text.isdecimal() and len(text) < _LONGEST_NUMBER else otherwise
