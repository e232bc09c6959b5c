"""Pictures as documents: each picture of a file becomes a page, which is then read as a scanned page is."""

from __future__ import annotations

import io
import mmap
from typing import TYPE_CHECKING, BinaryIO

from PIL import Image, ImageOps, ImageSequence
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.formats import pdf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector

_QUALITY = 90
_LEAST_SIDE = 4

# Sizes are checked by us, with an error that says so.
Image.MAX_IMAGE_PIXELS = None


def read(data: bytes, collector: Collector, rendition: BinaryIO) -> None:
    """Write the pictures as the pages of a PDF into ``rendition`` and read it into ``collector``.

    What a picture says of its own resolution is not believed: the longer side of a page is that of A4.

    Raises:
        DocumentUnreadable: the bytes are no picture, or a damaged one.
        DocumentTooLarge: it has too many pixels or pages.
    """
    content = as_pdf(data, collector)
    rendition.write(content)
    shared = mmap.mmap(-1, len(content))
    shared.write(content)
    pdf.read(shared, collector)
    collector.title = None


def as_pdf(data: bytes, collector: Collector) -> bytes:
    """The pictures as the pages of a PDF. Raises as `read`."""
    out = io.BytesIO()
    canvas = Canvas(out, pageCompression=1, invariant=1)
    for number, picture in enumerate(_pictures(data, collector), start=1):
        collector.limits.check_pages(number)
        scale = min(min(A4) / min(picture.size), max(A4) / max(picture.size))
        width, height = picture.width * scale, picture.height * scale
        canvas.setPageSize((width, height))
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=_QUALITY)
        canvas.drawImage(ImageReader(packed), 0, 0, width, height)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def _pictures(data: bytes, collector: Collector) -> Iterator[Image.Image]:
    try:
        with Image.open(io.BytesIO(data)) as file:
            for frame in ImageSequence.Iterator(file):
                pixels = frame.width * frame.height
                if pixels > collector.limits.pixels:
                    raise DocumentTooLarge(f"the picture has {pixels} pixels; the limit is {collector.limits.pixels}")
                if min(frame.size) < _LEAST_SIDE:
                    raise DocumentUnreadable("the picture is too small to hold writing")
                yield _on_white(ImageOps.exif_transpose(frame))
                if file.format in {"GIF", "PNG", "WEBP"}:  # what follows is an animation, not a page
                    return
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, TypeError, IndexError, KeyError) as err:
        raise DocumentUnreadable("the picture is damaged or of a kind that is not read; save it as PNG") from err


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture in colours or grey, on white where it is transparent."""
    if "A" in picture.mode or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(ground, picture).convert("RGB")
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    return picture.convert("L" if picture.mode in {"1", "L", "I", "F"} else "RGB")
