"""Presentations (Office Open XML): slide by slide, each on a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.flow import Element
from parser.formats.slides.places import P
from parser.formats.slides.slide import Slides
from parser.opc import Package, R

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector

_WHAT, _OLD = "a presentation", "the old PowerPoint format: save it as .pptx"
_MOST_SLIDES = 10_000
_SHOWN_HIDDEN = 2000


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The slides in their order: title, content, then the speaker's notes; hidden slides are only told.

    Raises:
        DocumentUnreadable: the bytes are no presentation.
        DocumentTooLarge: it inflates to too much.
    """
    package = Package(data, collector.limits, what=_WHAT, old=_OLD)
    main = package.main
    if main is None or b"presentationml" not in package.read(main)[:65536]:
        raise DocumentUnreadable("the file is no readable presentation: open it in PowerPoint and save it again")
    collector.title = package.title
    slides = Slides(package)
    for number, part in enumerate(_parts(package, main), start=1):
        root = package.xml(part)
        if root.get("show") in {"0", "false"}:
            words = " ".join(element.text for element in slides.elements(root, part))
            collector.skip("hidden", None, None, words[:_SHOWN_HIDDEN])
            collector.warn("hidden_slide", f"slide {number} is hidden; it is left out of searches")
            continue
        yield Element(BlockKind.PAGE_HEADER, page_label=f"Slide {number}")
        yield from _shown(slides.elements(root, part), collector)
        _tell(package, part, slides, number, collector)


def _shown(found: Iterator[Element], collector: Collector) -> Iterator[Element]:
    for element in found:
        if element.kind is BlockKind.HEADING and not collector.title:
            collector.title = element.text
        collector.look_for_hiding(element.text)
        yield element


def _parts(package: Package, main: str) -> list[str]:
    relations = package.relations(main)
    found: list[str] = []
    listed: list[Any] = list(package.xml(main).iterfind(f"{P}sldIdLst/{P}sldId"))
    for each in listed[:_MOST_SLIDES]:
        relation = relations.get(each.get(f"{R}id", ""))
        if relation is not None and not relation.is_external and package.has(relation.target):
            found.append(relation.target)
    return found


def _tell(package: Package, part: str, slides: Slides, number: int, collector: Collector) -> None:
    if hidden := slides.taken_hidden():
        collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
        collector.warn("hidden_text", f"slide {number} holds hidden text; it is left out of searches")
    if package.related(part, "comments"):
        collector.warn("part_not_read", f"slide {number} has comments, which are not read")
