"""The sizes of a document's pages, from the artefact that its parse stage left."""

from __future__ import annotations

from pathlib import Path

import orjson

from atoll.errors import NotFound
from atoll.ingest.stages.parse import PAGE_SIZES


def page_size(artefacts: Path, page: int) -> tuple[float, float]:
    """Return width and height of a page (from 1) in points; reads a file.

    Raises:
        NotFound: the document has no such page.
    """
    try:
        sizes = orjson.loads((artefacts / PAGE_SIZES).read_bytes())
    except FileNotFoundError as error:
        raise NotFound("the pages of this document are not laid out yet") from error
    if not 1 <= page <= len(sizes):
        raise NotFound(f"the document has {len(sizes)} pages, not {page}")
    width, height = sizes[page - 1]
    return width, height
