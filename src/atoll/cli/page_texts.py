"""What a page shows inside some boxes, read from the PDF that the gateway draws it from."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pypdfium2

from atoll.cli.client import Client, kb_path

#: Points around a box: letters stand out of the line that they are part of.
_MARGIN = 1.5


class PageTexts:
    """Texts of the pages of one knowledge base's documents; each document is fetched once and closed in the end."""

    def __init__(self, client: Client, kb: str) -> None:
        self._client = client
        self._kb = kb
        self._open: dict[str, pypdfium2.PdfDocument] = {}

    def cut(self, document: str, page: int, boxes: Sequence[Sequence[float]]) -> str:
        """Return the text inside boxes (points, origin top left) of a page (from 1), a line a box."""
        with closing(self._pdf(document)[page - 1]) as shown, closing(shown.get_textpage()) as words:
            height = shown.get_height()
            return "\n".join(
                words.get_text_bounded(
                    left=x0 - _MARGIN,
                    right=x1 + _MARGIN,
                    top=height - y0 + _MARGIN,
                    bottom=height - y1 - _MARGIN,
                )
                for x0, y0, x1, y1 in boxes
            )

    def close(self) -> None:
        """Close the documents."""
        for document in self._open.values():
            document.close()
        self._open.clear()

    def _pdf(self, document: str) -> pypdfium2.PdfDocument:
        if document not in self._open:
            content = self._client.download(kb_path(self._kb, "documents", document, "file"), pages="true")
            self._open[document] = pypdfium2.PdfDocument(content)
        return self._open[document]
