"""Books (EPUB): the chapters in the order of their spine, whatever order the archive has them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from atoll.errors import DocumentUnreadable
from parser.archive import Archive, resolved
from parser.formats import html
from parser.formats.members import Tables
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element

_WHAT, _OLD = "an EPUB book", "another format: save it as .epub"
_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_MOST_CHAPTERS = 5000
_TITLE_CHARACTERS = 500
#: Ways in which fonts are garbled, which hide no text.
_FONTS_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The text of all chapters.

    Raises:
        DocumentUnreadable: the bytes are no book, or it is protected against reading.
        DocumentTooLarge: it inflates to too much.
    """
    archive = Archive(data, collector.limits, what=_WHAT, old=_OLD)
    package = _package(archive)
    root = archive.xml(package)
    title = next(root.iter(_TITLE), None)
    tables = Tables()
    chapters = _chapters(root, package)
    if _is_protected(archive):
        raise DocumentUnreadable("the book is protected against copying; upload an edition without protection")
    if not chapters:
        raise DocumentUnreadable("the book is damaged: it does not say in which order its chapters stand")
    for name in chapters:
        if archive.has(name):
            yield from tables.apart(html.elements(archive.read(name), collector, "utf-8"))
        else:
            collector.warn("part_not_read", f"the book refers to {name[:80]}, which is not in it")
    collector.title = on_one_line(title.text or "")[:_TITLE_CHARACTERS] or None if title is not None else None


def _package(archive: Archive) -> str:
    for each in archive.xml(_CONTAINER).iter("{*}rootfile"):
        name = str(each.get("full-path", ""))
        if archive.has(name):
            return name
    raise DocumentUnreadable("the book is damaged: its list of parts is missing")


def _chapters(root: Any, package: str) -> list[str]:
    """The names of the chapters' parts in reading order, each once."""
    manifest = {
        each.get("id", ""): each.get("href", "")
        for each in root.iter(f"{_PACKAGE}item")
        if "html" in each.get("media-type", "") or each.get("href", "").lower().endswith((".html", ".htm", ".xhtml"))
    }
    spine = [each.get("idref", "") for each in root.iter(f"{_PACKAGE}itemref")][:_MOST_CHAPTERS]
    names = (manifest[each] for each in spine if manifest.get(each))
    return list(dict.fromkeys(resolved(package, unquote(name.partition("#")[0])) for name in names))


def _is_protected(archive: Archive) -> bool:
    """Whether more than fonts is encrypted."""
    if not archive.has(_ENCRYPTION):
        return False
    ways = [str(each.get("Algorithm", "")) for each in archive.xml(_ENCRYPTION).iter("{*}EncryptionMethod")]
    return any(way not in _FONTS_ONLY for way in ways)
