"""Formulas as a line of text: fractions with a slash, powers with a caret or raised digits, roots with their sign."""

from __future__ import annotations

from dataclasses import dataclass, field

from parser.raised import lowered, raised

_DEEPEST = 60
_UNSEEN = frozenset({"mspace", "mphantom", "none", "mprescripts", "annotation", "annotation-xml", "malignmark"})
_RELATIONS = frozenset("=<>\u2264\u2265\u2248\u2260\u2192")
#: What makes a term fall apart where it is not in brackets.
_LOOSE = frozenset("+-\u2212\u00b1\u00b7*/=<>\u2264\u2265 ,")
#: What stands between the parts of tables and their rows.
_JOINED = {"mtable": "; ", "mtr": ", ", "mlabeledtr": ", "}
_PRIMES = frozenset({"'", "\u2032", "\u2033", "*", "\u2217"})


@dataclass(slots=True)
class Node:
    """An element of MathML: its name without namespace, its own text, and its children."""

    tag: str
    text: str
    children: list[Node] = field(default_factory=list)


def linear(node: Node, depth: int = 0) -> str:
    """MathML as a line of text."""
    if depth > _DEEPEST or node.tag in _UNSEEN:
        return ""
    parts = [linear(child, depth + 1) for child in node.children]
    text = " ".join(node.text.split())
    if node.tag == "mo" and text in _RELATIONS:
        return f" {text} "
    return _composed(node.tag, parts) or text + "".join(parts)


def _composed(tag: str, parts: list[str]) -> str:  # noqa: PLR0911 - a line for each way to compose
    if tag in _JOINED:
        return _JOINED[tag].join(parts)
    match tag, parts:
        case "mfrac", [above, below]:
            return fraction(above, below)
        case "msup", [base, above]:
            return power(base, above)
        case "msub", [base, below]:
            return index(base, below)
        case "msubsup", [base, below, above]:
            return power(index(base, below), above)
        case "munderover" | "munder", [base, below, *above]:
            return over(base, below, "".join(above))
        case "mroot", [inner, degree]:
            return root(inner, degree)
        case (("msqrt" | "mfenced"), _):
            return root("".join(parts)) if tag == "msqrt" else f"({', '.join(parts)})"
        case "semantics", [first, *_]:
            return first
        case _:
            return ""


def fraction(above: str, below: str) -> str:
    """One over the other."""
    return f"{grouped(above)}/{grouped(below)}"


def power(base: str, above: str) -> str:
    """A base with something raised."""
    text = above.strip()
    if not text or text in _PRIMES:
        return base + text
    written = raised(text, "x")
    return base + (f"^{grouped(text)}" if written == text else written)


def index(base: str, below: str) -> str:
    """A base with something lowered."""
    text = below.strip()
    return base + (lowered(text, "x") if text else "")


def over(operator: str, below: str, above: str) -> str:
    """A sum, product or limit with what stands under and over its sign."""
    bounds = [part for part in (below.strip(), above.strip()) if part]
    return f"{operator}({' .. '.join(bounds)}) " if bounds else operator


def root(inner: str, degree: str = "") -> str:
    """A root; ``degree`` is written raised before its sign."""
    text = degree.strip()
    return f"{raised(text, 'x') if text else ''}\u221a{grouped(inner)}"


def grouped(text: str) -> str:
    """In brackets if it would fall apart without."""
    text = text.strip()
    is_bracketed = text.startswith("(") and text.endswith(")") and text.count("(") == 1
    return f"({text})" if not is_bracketed and any(character in _LOOSE for character in text) else text
