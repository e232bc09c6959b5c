"""Tells words that nobody sees: a page is drawn with and without them, and where that makes no difference is no ink.

Only text objects that could be unseen are put to this test: those of a light or transparent colour, clipped ones, and
those that share their place with a picture or a filled area, which may cover them or have their colour. A page without
such objects is not drawn.
"""

from __future__ import annotations

import time
from ctypes import byref, c_double, c_float, c_int, c_uint, c_void_p, cast
from dataclasses import dataclass, field
from math import ceil, floor, hypot, sqrt
from typing import TYPE_CHECKING, Any

import pypdfium2.raw as pdfium
from PIL import ImageChops

from parser.formats.pdf.frame import PageFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pypdfium2

    from parser.formats.pdf.words import Word

_SCALE = 1.5
#: A page of more pixels is drawn smaller, and one that would be too small to tell is not looked at.
_MOST_PIXELS, _LEAST_SCALE = 4_000_000, 0.9
#: By so much of 255 a pixel has to differ to be ink.
_INK = 20
#: A text object of which so many signs show ink is seen.
_SEEN_SHARE = 0.5
#: Lower type is read by nobody, nor is type so much narrower than it is high, or the reverse.
_LEAST_HEIGHT, _SQUEEZED = 2.5, 0.08
#: Colours that are darker and as good as opaque are seen on a page without pictures and filled areas.
_DARK, _LIGHT, _OPAQUE = 128, 180, 200
_INVISIBLE, _FIRST_CLIPPING = 3, 4
_MOST_OBJECTS, _MOST_COVERS = 5000, 300
_THIN = 3.0
#: Pixels around the text that are drawn with it.
_AROUND = 2
#: Text that is invisible on a page that is mostly a picture is what a scanner's program has read.
_LAYER_SHARE, _PICTURE_SHARE = 0.9, 0.5

_Rectangle = tuple[float, float, float, float]


@dataclass(slots=True)
class InkTime:
    """Processor time for looking at ink in one document."""

    left_seconds: float

    @property
    def is_spent(self) -> bool:
        """Whether no further page is looked at."""
        return self.left_seconds <= 0


@dataclass(slots=True)
class _TextObject:
    raw: Any
    mode: int
    words: list[Word] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Cover:
    """What may hide text that it shares its place with; ``index`` is its turn to be drawn."""

    index: int
    place: _Rectangle
    is_picture: bool
    is_light: bool


@dataclass(slots=True)
class _Covers:
    """The covers of a page, and the turns of its text objects by their address."""

    found: list[_Cover] = field(default_factory=list)
    order: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Sight:
    """Which words of a page are seen; ``is_layer`` where all are invisible over a picture, and taken all the same."""

    seen: list[Word]
    hidden: list[Word] = field(default_factory=list)
    is_layer: bool = False


def sight(
    page: pypdfium2.PdfPage, text: pdfium.FPDF_TEXTPAGE, found: Iterable[Word], frame: PageFrame, left: InkTime
) -> Sight:
    """Tell the seen words of a page from the others; ``found`` have boxes in ``frame``."""
    words = list(found)
    objects = list(_objects(text, words))
    if left.is_spent or not objects:
        return Sight(words)
    begun = time.process_time()
    covers = _covers(page)
    if _is_layer(objects, covers, page):
        return Sight(words, is_layer=True)
    unseen = {id(word) for each in objects for word in each.words if _is_unreadably_small(text, word)}
    suspects = [each for each in objects if _is_suspect(each, covers, frame)]
    if suspects:
        unseen |= {id(word) for each in _without_ink(page, text, suspects) for word in each.words}
    left.left_seconds -= time.process_time() - begun
    if not unseen:
        return Sight(words)
    return Sight([word for word in words if id(word) not in unseen], [word for word in words if id(word) in unseen])


def _objects(text: pdfium.FPDF_TEXTPAGE, words: Sequence[Word]) -> Iterator[_TextObject]:
    """The text objects in which words begin."""
    found: dict[int, _TextObject] = {}
    for word in words:
        raw = pdfium.FPDFText_GetTextObject(text, word.start)
        address = cast(raw, c_void_p).value
        if address is None:
            continue
        if address not in found:
            found[address] = _TextObject(raw, pdfium.FPDFTextObj_GetTextRenderMode(raw))
        found[address].words.append(word)
    yield from found.values()


def _covers(page: pypdfium2.PdfPage) -> _Covers:
    """The pictures, filled areas and groups of a page; a page with more than can be looked at is covered by one."""
    count = pdfium.FPDFPage_CountObjects(page.raw)
    sides = c_float(), c_float(), c_float(), c_float()
    covers = _Covers()
    for index in range(min(count, _MOST_OBJECTS)):
        raw = pdfium.FPDFPage_GetObject(page.raw, index)
        kind = pdfium.FPDFPageObj_GetType(raw)
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            covers.order[cast(raw, c_void_p).value or 0] = index
        elif pdfium.FPDFPageObj_GetBounds(raw, *map(byref, sides)):
            left, bottom, right, top = (side.value for side in sides)
            is_picture = kind == pdfium.FPDF_PAGEOBJ_IMAGE
            if kind == pdfium.FPDF_PAGEOBJ_PATH and (not _is_filled(raw) or min(right - left, top - bottom) < _THIN):
                continue
            is_light = kind == pdfium.FPDF_PAGEOBJ_PATH and _brightness(raw, pdfium.FPDFPageObj_GetFillColor) >= _LIGHT
            covers.found.append(_Cover(index, (left, bottom, right, top), is_picture=is_picture, is_light=is_light))
    if count > _MOST_OBJECTS or len(covers.found) > _MOST_COVERS:
        pictures = [cover for cover in covers.found if cover.is_picture]
        covers.found = [*pictures, _Cover(_MOST_OBJECTS, page.get_bbox(), is_picture=False, is_light=False)]
    return covers


def _is_filled(raw: Any) -> bool:
    fill, stroke = c_int(), c_int()
    pdfium.FPDFPath_GetDrawMode(raw, byref(fill), byref(stroke))
    return bool(fill.value)


def _is_layer(objects: Sequence[_TextObject], covers: _Covers, page: pypdfium2.PdfPage) -> bool:
    counts = [(each.mode == _INVISIBLE, sum(len(word.text) for word in each.words)) for each in objects]
    invisible = sum(count for is_invisible, count in counts if is_invisible)
    if invisible < _LAYER_SHARE * sum(count for _, count in counts):
        return False
    left, bottom, right, top = page.get_bbox()
    pictures = [cover.place for cover in covers.found if cover.is_picture]
    area = sum(
        max(0.0, min(right, x1) - max(left, x0)) * max(0.0, min(top, y1) - max(bottom, y0))
        for x0, y0, x1, y1 in pictures
    )
    return bool(area >= _PICTURE_SHARE * (right - left) * (top - bottom))


def _is_unreadably_small(text: pdfium.FPDF_TEXTPAGE, word: Word) -> bool:
    if word.height < _LEAST_HEIGHT:
        return True
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text, word.start, byref(matrix)):
        return False
    along, across = hypot(matrix.a, matrix.b), hypot(matrix.c, matrix.d)
    return min(along, across) < _SQUEEZED * max(along, across)


def _is_suspect(each: _TextObject, covers: _Covers, frame: PageFrame) -> bool:
    """Whether only a drawing shows that an object is seen."""
    if each.mode >= _FIRST_CLIPPING:  # what is painted through its letters shows them
        return False
    if each.mode == _INVISIBLE or not _is_dark(each) or pdfium.FPDFPageObj_HasTransparency(each.raw):
        return True
    clip = pdfium.FPDFPageObj_GetClipPath(each.raw)
    if clip and pdfium.FPDFClipPath_CountPaths(clip) > 0:
        return True
    order = covers.order.get(cast(each.raw, c_void_p).value or 0, -1)
    hiding = [cover.place for cover in covers.found if cover.index > order or order < 0 or not cover.is_light]
    places = [frame.rectangle(word.box) for word in each.words] if hiding else []
    return any(
        x0 < right and left < x1 and y0 < top and bottom < y1
        for left, bottom, right, top in places
        for x0, y0, x1, y1 in hiding
    )


def _is_dark(each: _TextObject) -> bool:
    ask = pdfium.FPDFPageObj_GetStrokeColor if each.mode == 1 else pdfium.FPDFPageObj_GetFillColor
    return 0 <= _brightness(each.raw, ask) <= _DARK


def _brightness(raw: Any, ask: Callable[..., int]) -> float:
    """How bright an object's colour is, of 255; -1 for one that lets others through or does not say."""
    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint()
    if not ask(raw, byref(red), byref(green), byref(blue), byref(alpha)) or alpha.value < _OPAQUE:
        return -1.0
    return 0.3 * red.value + 0.59 * green.value + 0.11 * blue.value


def _without_ink(
    page: pypdfium2.PdfPage, text: pdfium.FPDF_TEXTPAGE, suspects: Sequence[_TextObject]
) -> Iterator[_TextObject]:
    """Those objects that a page looks the same without."""
    width, height = page.get_size()
    scale = min(_SCALE, sqrt(_MOST_PIXELS / max(width * height, 1.0)))
    shown = PageFrame(page, page.get_rotation())
    signs = [[box for word in each.words for box in _sign_boxes(text, word, shown, scale)] for each in suspects]
    boxes = [box for found in signs for box in found]
    if scale < _LEAST_SCALE or not boxes:
        return
    edges = [min(box[0] for box in boxes), min(box[1] for box in boxes)]
    left, top = (max(0, edge - _AROUND) for edge in edges)
    right = max(0.0, width - (max(box[2] for box in boxes) + _AROUND) / scale)
    bottom = max(0.0, height - (max(box[3] for box in boxes) + _AROUND) / scale)
    # Half a pixel less, because what is cut off is rounded up to whole ones.
    crop = (max(0.0, left - 0.5) / scale, bottom, right, max(0.0, top - 0.5) / scale)
    with_them = page.render(scale=scale, crop=crop).to_pil().convert("RGB")
    for each in suspects:
        pdfium.FPDFPageObj_SetIsActive(each.raw, False)
    try:
        without = page.render(scale=scale, crop=crop).to_pil().convert("RGB")
    finally:
        for each in suspects:
            pdfium.FPDFPageObj_SetIsActive(each.raw, True)
    ink = ImageChops.difference(with_them, without).convert("L").point(lambda value: 255 * (value > _INK))
    for each, found in zip(suspects, signs, strict=True):
        places = ((x0 - left, y0 - top, x1 - left, y1 - top) for x0, y0, x1, y1 in found)
        inked = sum(ink.crop(place).getbbox() is not None for place in places)
        if found and inked < _SEEN_SHARE * len(found):
            yield each


def _sign_boxes(
    text: pdfium.FPDF_TEXTPAGE, word: Word, shown: PageFrame, scale: float
) -> Iterator[tuple[int, int, int, int]]:
    """The places of a word's signs on the page as it is drawn at a scale; those outside it have none."""
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    for index in range(word.start, word.start + len(word.text)):
        if pdfium.FPDFText_GetCharBox(text, index, byref(left), byref(right), byref(bottom), byref(top)):
            box = shown.box(left.value, bottom.value, right.value, top.value)
            if box.x1 > box.x0 and box.y1 > box.y0:
                yield floor(box.x0 * scale), floor(box.y0 * scale), ceil(box.x1 * scale), ceil(box.y1 * scale)
