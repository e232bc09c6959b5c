"""Page headers and footers of a Word document: what they say once, read once.

On our pages there are none: they are set before the text and after it, so that a document's number, owner or date,
which often stands nowhere else, is found.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.flow import Element

if TYPE_CHECKING:
    from parser.formats.word.body import Body
    from parser.opc import Package

#: What is left of "Page 3 of 12" without its numbers.
_PAGE_OF = re.compile(
    r"[\W_]*(?:page|seite|p\u00e1gina|pagina|sida|side|sivu|strona|str|s|p)?\.?\W*(?:of|von|av|de|di|sur|af|van|z)?[\W_]*",
    re.IGNORECASE,
)


def heads_and_feet(package: Package, document: str, body: Body) -> tuple[list[Element], list[Element]]:
    """The elements of all page headers and of all footers, each text once."""
    known: set[str] = set()
    heads = _once(package.related(document, "header"), body, known)
    return heads, _once(package.related(document, "footer"), body, known)


def _once(parts: list[str], body: Body, known: set[str]) -> list[Element]:
    found: list[Element] = []
    for part in parts:
        for element in body.part(part):
            text = element.text or " | ".join(cell.text for cell in element.cells)
            if text in known or is_page_number(text):
                continue
            known.add(text)
            if element.kind in {BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST_ITEM}:
                element = Element(BlockKind.NOTE, element.text)  # noqa: PLW2901 - that is what it is to a reader
            found.append(element)
    return found


def is_page_number(text: str) -> bool:
    """Whether a header or footer only counts pages, once its numbers are taken out."""
    return _PAGE_OF.fullmatch(text) is not None
