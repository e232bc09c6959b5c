"""Draws a page of a PDF with marks on it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw

from atoll.errors import DocumentTooLarge, NotFound
from parser.formats.pdf import opened, shown_page
from parser.heat import warm

if TYPE_CHECKING:
    import mmap
    from collections.abc import Sequence

    from atoll.domain.page import Box, HeatMap
    from parser.limits import ContentLimits

_POINTS_PER_INCH = 72
#: Multiplied with what is there, so that dark text on a light page stays as it is.
_MARK = (255, 232, 110)
_MARK_EDGE = (214, 158, 0)
_MARK_MARGIN = 2
#: zlib's level; higher ones cost more time than they save bytes on page images.
_COMPRESSION = 3


def draw_page(
    data: mmap.mmap, page: int, dpi: int, marks: Sequence[Box], heat: HeatMap | None, limits: ContentLimits
) -> bytes:
    """The page (from 1) as PNG at ``dpi``, with ``marks`` in page points highlighted and ``heat`` laid over it.

    Raises:
        NotFound: there is no such page.
        DocumentTooLarge: its image would have too many pixels; known before anything is drawn.
        DocumentUnreadable: the bytes are no readable PDF.
    """
    scale = dpi / _POINTS_PER_INCH
    with opened(data) as pdf:
        if not 1 <= page <= len(pdf):
            raise NotFound(f"the document has {len(pdf)} pages; there is no page {page}")
        drawn, _ = shown_page(pdf, page - 1)
        pixels = int(drawn.get_width() * scale + 1) * int(drawn.get_height() * scale + 1)
        if pixels > limits.pixels:
            raise DocumentTooLarge(f"page {page} at {dpi} dpi has {pixels} pixels; the limit is {limits.pixels}")
        image = drawn.render(scale=scale).to_pil().convert("RGB")
    for mark in marks:
        _highlight(image, mark, scale)
    if heat is not None:
        warm(image, heat, scale)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_COMPRESSION)
    return out.getvalue()


def _highlight(image: Image.Image, mark: Box, scale: float) -> None:
    left = max(0, int(mark.x0 * scale) - _MARK_MARGIN)
    top = max(0, int(mark.y0 * scale) - _MARK_MARGIN)
    right = min(image.width, int(mark.x1 * scale) + 1 + _MARK_MARGIN)
    bottom = min(image.height, int(mark.y1 * scale) + 1 + _MARK_MARGIN)
    if left >= right or top >= bottom:
        return
    area = (left, top, right, bottom)
    image.paste(ImageChops.multiply(image.crop(area), Image.new("RGB", (right - left, bottom - top), _MARK)), area)
    ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), outline=_MARK_EDGE)
