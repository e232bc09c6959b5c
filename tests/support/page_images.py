"""Page images for tests of the page-image server."""

from __future__ import annotations

import base64
import random
from io import BytesIO

from PIL import Image

from atoll.domain.page import HeatMap
from parser.heat import warm

CELLS = 8


def encoded(image: Image.Image, file_format: str = "PNG") -> str:
    """The image as the wire carries it."""
    return base64.b64encode(file_bytes(image, file_format)).decode()


def file_bytes(image: Image.Image, file_format: str = "PNG") -> bytes:
    content = BytesIO()
    image.save(content, file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    return content.getvalue()


def noise(seed: int, width: int = 96, height: int = 128) -> Image.Image:
    """A page of its own: coloured squares."""
    chosen = random.Random(seed)
    small = Image.frombytes("RGB", (CELLS, CELLS), chosen.randbytes(3 * CELLS * CELLS))
    return small.resize((width, height), Image.Resampling.NEAREST)


def marked(column: int, row: int, *, columns: int, rows: int, cell_pixels: int) -> Image.Image:
    """A white page with one black cell."""
    page = Image.new("RGB", (columns * cell_pixels, rows * cell_pixels), "white")
    x, y = column * cell_pixels, row * cell_pixels
    page.paste("black", (x, y, x + cell_pixels, y + cell_pixels))
    return page


def heated(png: bytes, heat: HeatMap | None, scale: float = 1.0) -> bytes:
    """A drawn page with a heat map over it, as the parser draws it at ``scale`` pixels a point."""
    with Image.open(BytesIO(png)) as opened:
        page = opened.convert("RGB")
    if heat is not None:
        warm(page, heat, scale)
    return file_bytes(page)
