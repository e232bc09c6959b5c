"""A page lit where it answers a question."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from atoll.query.retrieve.pages import PageView

#: Colours by likeness, from none over a little to most; between them in a straight line.
_COLOURS = ((255, 244, 180), (255, 170, 40), (214, 30, 30))
#: How much of the page the warmest colour covers, of 255: what is written must stay readable.
_OPACITY = 150
_LEVELS = 256
#: Lines glow over their edges by this share of the page's width.
_GLOW = 0.004
_COMPRESSION = 3


def paint(page: bytes, view: PageView) -> bytes:
    """Return the drawn page, a PNG, with each place coloured by its likeness; nothing is lit on a blank page."""
    with Image.open(io.BytesIO(page)) as opened:
        drawn = opened.convert("RGB")
    heat = _heat(drawn.size, view)
    steps = np.linspace(0, len(_COLOURS) - 1, _LEVELS)
    tables = [np.interp(steps, range(len(_COLOURS)), [colour[band] for colour in _COLOURS]) for band in range(3)]
    warm = Image.merge("RGB", [heat.point(table.astype(int).tolist()) for table in tables])
    mask = heat.point([level * _OPACITY // (_LEVELS - 1) for level in range(_LEVELS)])
    drawn.paste(warm, mask=mask)
    content = io.BytesIO()
    drawn.save(content, "PNG", compress_level=_COMPRESSION)
    return content.getvalue()


def _heat(size: tuple[int, int], view: PageView) -> Image.Image:
    """Return the likeness of each pixel as grey."""
    levels = np.round(view.likeness * (_LEVELS - 1)).astype(np.uint8)
    if view.vectors.grid is not None:
        columns, rows = view.vectors.grid
        return Image.fromarray(levels.reshape(rows, columns)).resize(size, Image.Resampling.BICUBIC)
    heat = Image.new("L", size)
    pen = ImageDraw.Draw(heat)
    across, down = size[0] / view.page.width, size[1] / view.page.height
    # The warmest last: where lines overlap, it is seen.
    for at in np.argsort(levels, kind="stable").tolist():
        box = view.vectors.box_of(at, view.page)
        if box.x1 > box.x0 and box.y1 > box.y0:
            pen.rectangle((box.x0 * across, box.y0 * down, box.x1 * across, box.y1 * down), fill=int(levels[at]))
    return heat.filter(ImageFilter.GaussianBlur(_GLOW * size[0]))
