"""Office Math as a line of text."""

from __future__ import annotations

from typing import Any

from parser.formulas import fraction, grouped, index, over, power, root
from parser.opc import M, W

_DEEPEST = 60
_INTEGRAL = "\u222b"


def linear(element: Any, depth: int = 0) -> str:
    """A formula, or a part of one, as a line of text."""
    if depth > _DEEPEST or not isinstance(element.tag, str):
        return ""
    tag = element.tag
    if tag in {f"{M}t", f"{W}t"}:
        return element.text or ""
    if tag in {f"{M}rPr", f"{W}rPr", f"{M}ctrlPr"} or tag.endswith("Pr"):
        return ""
    parts = {name: _part(element, name, depth) for name in ("e", "num", "den", "sub", "sup", "deg", "lim", "fName")}
    return _composed(element, tag.removeprefix(M), parts, depth)


def _composed(element: Any, tag: str, parts: dict[str, str], depth: int) -> str:  # noqa: PLR0911 - a line for each way
    base = parts["e"]
    match tag:
        case "f":
            return fraction(parts["num"], parts["den"])
        case "sSup":
            return power(base, parts["sup"])
        case "sSub":
            return index(base, parts["sub"])
        case "sSubSup" | "sPre":
            return power(index(base, parts["sub"]), parts["sup"])
        case "rad":
            return root(base, parts["deg"])
        case "nary":
            return f"{over(_property(element, 'chr', _INTEGRAL), parts['sub'], parts['sup'])}{base}"
        case "func":
            return f"{parts['fName']} {grouped(base)}"
        case "limLow" | "limUpp":
            return f"{base}({parts['lim']})"
        case _:
            return _listed(element, tag, depth)


def _listed(element: Any, tag: str, depth: int) -> str:
    """What holds several parts of a kind: brackets, matrices, systems of equations, and plain runs."""
    inner = [linear(child, depth + 1) for child in element.iterchildren()]
    match tag:
        case "d":
            parts = [linear(child, depth + 1) for child in element.iterchildren(f"{M}e")]
            between = _property(element, "sepChr", "|")
            return _property(element, "begChr", "(") + between.join(parts) + _property(element, "endChr", ")")
        case "m":
            return "; ".join(filter(None, inner))
        case "mr":
            return ", ".join(filter(None, inner))
        case "eqArr":
            return "; ".join(filter(None, inner))
        case _:
            return "".join(inner)


def _part(element: Any, name: str, depth: int) -> str:
    found = element.find(f"{M}{name}")
    return "" if found is None else linear(found, depth + 1)


def _property(element: Any, name: str, otherwise: str) -> str:
    """A sign that a formula's properties name, such as that of a sum or of a bracket."""
    for properties in element.iterchildren(f"{M}naryPr", f"{M}dPr"):
        found = properties.find(f"{M}{name}")
        if found is not None:
            return str(found.get(f"{M}val", ""))
    return otherwise
