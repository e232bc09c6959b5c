"""What the children do: read a document, or draw one of its pages."""

from __future__ import annotations

import io
import mmap
import os
from typing import TYPE_CHECKING, Any

from atoll.adapters.parser_wire import heat_in
from atoll.domain import media
from atoll.domain.page import RESOLUTIONS, Box
from atoll.errors import BadInput, DocumentUnreadable, UnsupportedMediaType
from parser.appended import append
from parser.collector import Collector
from parser.draw import draw_page
from parser.formats import pdf, picture
from parser.formats.flowing import FLOWING, HOLDING
from parser.text import on_one_line
from parser.typeset.compose import typeset

if TYPE_CHECKING:
    from parser.limits import ContentLimits
    from parser.recognise.engine import Engine
    from parser.typeset.fonts import Fonts


class Parse:
    """The `parse` operation: descriptors [input, result, rendition]."""

    def __init__(self, limits: ContentLimits, fonts: Fonts, engine: Engine | None = None) -> None:
        self._limits = limits
        self._fonts = fonts
        self._engine = engine

    def __call__(self, arguments: dict[str, Any], descriptors: list[int]) -> None:
        """Read the input and write its `ParsedDocument`, and a PDF if it has no pages of its own or is encrypted.

        Raises:
            BadInput: see `atoll.ports.parser.Parser.parse`.
        """
        source, result, rendition = descriptors
        media_type, name = str(arguments.get("media_type")), on_one_line(str(arguments.get("name", "")))
        collector = Collector(self._limits, self._engine)
        collector.password = arguments.get("password") or None
        data = mapped(source)
        family = media.FAMILIES.get(media_type, "")
        collector.read_by(family, media.told_by(data[: media.HEAD_BYTES], media_type))
        if family == "pdf":
            pdf.read(data, collector)
            with os.fdopen(rendition, "wb") as file:
                pdf.write_open(data, collector.password, file)
        elif family == "picture":
            with os.fdopen(rendition, "wb") as file:
                picture.read(bytes(data), collector, file)
        elif elements := FLOWING.get(family):
            with os.fdopen(rendition, "wb") as file:
                if family in HOLDING:
                    own = io.BytesIO()
                    typeset(elements(bytes(data), collector, 1), own, self._fonts, collector, name)
                    append(collector, own.getvalue(), file)
                else:
                    typeset(elements(bytes(data), collector, 1), file, self._fonts, collector, name)
        else:
            raise UnsupportedMediaType(f"nothing here reads {media_type[:80]}")
        with os.fdopen(result, "wb") as file:
            collector.write(file)


class Draw:
    """The `draw` operation: descriptors [pdf, png]."""

    def __init__(self, limits: ContentLimits) -> None:
        self._limits = limits

    def __call__(self, arguments: dict[str, Any], descriptors: list[int]) -> None:
        """Draw a page with its marks as PNG.

        Raises:
            BadInput: the arguments are not those; see also `atoll.ports.parser.Parser.draw`.
        """
        source, image = descriptors
        try:
            page, dpi = int(arguments["page"]), int(arguments["dpi"])
            marks = [Box(*(float(value) for value in mark)) for mark in arguments["marks"]]
            heat = None if arguments["heat"] is None else heat_in(arguments["heat"])
        except (KeyError, TypeError, ValueError) as err:
            raise BadInput("drawing needs a page, a resolution, marks of four numbers and a heat map or none") from err
        if dpi not in RESOLUTIONS:
            raise BadInput(f"pages are drawn at {' or '.join(map(str, RESOLUTIONS))} dpi, not {dpi}")
        drawn = draw_page(mapped(source), page, dpi, marks, heat, self._limits)
        with os.fdopen(image, "wb") as file:
            file.write(drawn)


def mapped(descriptor: int) -> mmap.mmap:
    """The file's bytes, mapped rather than read: private, so that nothing is ever written back.

    It is never closed: pdfium holds a view of it, and the process lives for one document.

    Raises:
        DocumentUnreadable: the file is empty.
    """
    size = os.fstat(descriptor).st_size
    if not size:
        raise DocumentUnreadable("the file is empty")
    return mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY)
