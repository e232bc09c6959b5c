"""What stands in a rectangle of a page: the text that pdfium finds there, in a form that can be compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import pypdfium2

_MARGIN_POINTS = 1.5
_HYPHENS = re.compile(r"[\u0002\u00ad\ufffe]\s*")


def text_in(pdf: Path, page_number: int, boxes: Iterable[Sequence[float]]) -> str:
    """Return the text inside boxes (page points, origin top left) of a page (from 1), normalised."""
    with closing(pypdfium2.PdfDocument(pdf)) as document, closing(document[page_number - 1]) as page:
        height = page.get_height()
        with closing(page.get_textpage()) as words:
            found = [
                words.get_text_bounded(
                    left=x0 - _MARGIN_POINTS,
                    right=x1 + _MARGIN_POINTS,
                    top=height - y0 + _MARGIN_POINTS,
                    bottom=height - y1 - _MARGIN_POINTS,
                )
                for x0, y0, x1, y1 in boxes
            ]
    return plain(" ".join(found))


def plain(text: str) -> str:
    """Return text in one case and with single spaces, line-end hyphens undone."""
    joined = _HYPHENS.sub("", unicodedata.normalize("NFKC", text))
    return " ".join(joined.split()).casefold()


def missing(text: str, marked: str) -> set[str]:
    """Return the words of ``text`` that do not stand in ``marked``; spaces do not count, cells of a table touch."""
    joined = "".join(marked.split())
    return {word for word in re.findall(r"\w+", plain(text)) if word not in joined}
