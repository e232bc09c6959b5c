"""Lights a drawn page where it answers a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from atoll.domain.page import HeatMap

#: Colours by level, from none over a little to most; between them in a straight line.
_COLOURS = ((255, 244, 180), (255, 170, 40), (214, 30, 30))
#: How much of the page the warmest colour covers, of 255: what is written must stay readable.
_OPACITY = 150
_LEVELS = 256
#: Boxes glow over their edges by this share of the page's width.
_GLOW = 0.004


def warm(image: Image.Image, heat: HeatMap, scale: float) -> None:
    """Colour each place of a page, ``scale`` pixels a point, by how warm it is; what is cold stays as it is."""
    level = _of_grid(heat, image.size) if heat.grid is not None else _of_boxes(heat, image.size, scale)
    colours = Image.merge("RGB", [level.point([_colour(at)[band] for at in range(_LEVELS)]) for band in range(3)])
    image.paste(colours, mask=level.point([at * _OPACITY // (_LEVELS - 1) for at in range(_LEVELS)]))


def _colour(level: int) -> tuple[int, ...]:
    step, part = divmod(level * (len(_COLOURS) - 1) / (_LEVELS - 1), 1)
    first, second = _COLOURS[int(step)], _COLOURS[min(int(step) + 1, len(_COLOURS) - 1)]
    return tuple(round(one + (other - one) * part) for one, other in zip(first, second, strict=True))


def _of_grid(heat: HeatMap, size: tuple[int, int]) -> Image.Image:
    assert heat.grid is not None
    return Image.frombytes("L", heat.grid, heat.levels).resize(size, Image.Resampling.BICUBIC)


def _of_boxes(heat: HeatMap, size: tuple[int, int], scale: float) -> Image.Image:
    level = Image.new("L", size)
    pen = ImageDraw.Draw(level)
    # The warmest last: where boxes overlap, it is seen.
    for at, box in sorted(zip(heat.levels, heat.boxes, strict=True)):
        if box.x1 > box.x0 and box.y1 > box.y0:
            pen.rectangle((box.x0 * scale, box.y0 * scale, box.x1 * scale, box.y1 * scale), fill=at)
    return level.filter(ImageFilter.GaussianBlur(_GLOW * size[0]))
