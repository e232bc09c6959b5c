"""XML of any kind: records as tables, text with marks in it as paragraphs. Entities are never expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lxml import etree

from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.formats import html
from parser.formats.structured.values import Values
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element

_MOST_NODES = 1_000_000
_DEEPEST = 60


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """What a file says. A page of XHTML is read as one.

    Raises:
        DocumentUnreadable: it is no XML.
        DocumentTooLarge: it has too many elements or too much text.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as err:
        raise DocumentUnreadable("the file is no XML: it is damaged or cut off") from err
    if etree.QName(root).localname.lower() == "html":
        yield from html.elements(data, collector)
        return
    for count, node in enumerate(root.iter()):
        if count == _MOST_NODES:
            raise DocumentTooLarge(f"the file has more than {_MOST_NODES} elements; split it into several files")
        collector.look_for_hiding(node.text or "")
    collector.encoding = root.getroottree().docinfo.encoding
    yield from Values().elements(_value(root, 0))


def _value(element: Any, depth: int) -> Any:
    """An element as a text, or as a record of its attributes and children; those of a name are a list."""
    children = [child for child in element.iterchildren() if isinstance(child.tag, str)]
    attributes = {etree.QName(name).localname: value for name, value in element.attrib.items()}
    has_text = bool((element.text or "").strip()) or any((child.tail or "").strip() for child in children)
    if depth >= _DEEPEST or (has_text and children):
        return on_one_line("".join(element.itertext()))
    if not children and not attributes:
        return on_one_line(element.text or "")
    record: dict[str, Any] = dict(attributes)
    if has_text:
        record["text"] = on_one_line(element.text or "")
    groups: dict[str, list[Any]] = {}
    for child in children:
        groups.setdefault(etree.QName(child).localname, []).append(_value(child, depth + 1))
    for name, values in groups.items():
        key = name if name not in record else f"{name} (element)"
        record[key] = values[0] if len(values) == 1 else values
    return record
