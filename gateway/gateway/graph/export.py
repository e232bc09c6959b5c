"""The whole graph as a stream: GraphML (http://graphml.graphdrawing.org) or one JSON object a line.

Batches are read one after the other, so that memory does not grow with the graph. Each batch is of one moment; the end
says whether all were of the same revision, unless the reader is restricted: the revision moves with every document,
those out of its sight included.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any, Protocol
from xml.sax.saxutils import XMLGenerator

import orjson

from atoll.domain.entity import Assertion
from atoll.domain.ids import EntityId, PassageId
from atoll.domain.reader import Reader
from atoll.ports.atlas import AtlasExport, CoOccurrence, EntityCard

_BATCH = 1000
#: What XML 1.0 cannot hold, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
#: Attributes by what they belong to: name -> GraphML type.
_KEYS = {
    "node": {"name": "string", "type": "string", "passages": "int"},
    "edge": {"kind": "string", "weight": "double", "keywords": "string", "description": "string", "passage": "string"},
    "graph": {"revision": "int", "complete": "boolean"},
}
_TOGETHER, _STATED = "co-occurrence", "relation"

Piece = Sequence[EntityCard] | Sequence[CoOccurrence] | Sequence[Assertion]


class ExportFormat(StrEnum):
    """How the graph is written down."""

    GRAPHML = "graphml"
    JSONL = "jsonl"


class _Writer(Protocol):
    """Turns pieces of a graph into bytes."""

    def begin(self) -> bytes: ...

    def piece(self, piece: Piece) -> bytes: ...

    def end(self, revision: int | None, *, complete: bool | None) -> bytes: ...


class GraphExport:
    """One export; ``revision`` is that of the first batch read."""

    def __init__(self, source: AtlasExport, reader: Reader) -> None:
        self._source = source
        self._reader = reader
        self._revisions: set[int] = set()

    async def write(self, format_: ExportFormat) -> AsyncIterator[bytes]:
        """Yield the export; the first batch is read before anything is yielded, so that errors come first."""
        writer: _Writer = _GraphMl() if format_ is ExportFormat.GRAPHML else _JsonLines()
        begun = False
        async for piece in self._pieces():
            if not begun:
                begun = True
                yield writer.begin()
            yield writer.piece(piece)
        if self._reader.is_restricted:
            yield writer.end(None, complete=None)
        else:
            # The latest revision: what was written last is of no older one.
            yield writer.end(max(self._revisions), complete=len(self._revisions) == 1)

    async def _pieces(self) -> AsyncIterator[Piece]:
        after: EntityId | None = None
        while True:
            nodes = await self._source.nodes(self._reader, after=after, limit=_BATCH)
            self._revisions.add(nodes.revision)
            yield nodes.entities
            if len(nodes.entities) < _BATCH:
                break
            after = nodes.entities[-1].id
        pair: tuple[EntityId, EntityId] | None = None
        while True:
            together = await self._source.together(self._reader, after=pair, limit=_BATCH)
            self._revisions.add(together.revision)
            yield together.together
            if len(together.together) < _BATCH:
                break
            pair = (together.together[-1].head, together.together[-1].tail)
        place: tuple[PassageId, int] | None = None
        while True:
            stated = await self._source.assertions(self._reader, after=place, limit=_BATCH)
            self._revisions.add(stated.revision)
            yield stated.assertions
            if len(stated.assertions) < _BATCH:
                break
            place = (stated.assertions[-1].passage, stated.assertions[-1].ordinal)


class _JsonLines:
    """``{"kind": "entity" | "co-occurrence" | "relation" | "end", ...}`` a line."""

    def begin(self) -> bytes:
        return b""

    def piece(self, piece: Piece) -> bytes:
        return b"".join(map(_line, map(_described, piece)))

    def end(self, revision: int | None, *, complete: bool | None) -> bytes:
        return _line({"kind": "end", "revision": revision, "complete": complete})


class _GraphMl:
    """A directed graph, since relations have a direction; co-occurrences are written once, in either direction."""

    def __init__(self) -> None:
        self._buffer = io.StringIO()
        self._xml = XMLGenerator(self._buffer, encoding="utf-8", short_empty_elements=True)

    def begin(self) -> bytes:
        self._xml.startDocument()
        self._xml.startElement("graphml", {"xmlns": _NAMESPACE})  # type: ignore[arg-type]
        for owner, keys in _KEYS.items():
            for name, type_ in keys.items():
                self._element(
                    "key", {"id": f"{owner}.{name}", "for": owner, "attr.name": name, "attr.type": type_}, None
                )
        self._xml.startElement("graph", {"id": "atoll", "edgedefault": "directed"})  # type: ignore[arg-type]
        return self._taken()

    def piece(self, piece: Piece) -> bytes:
        for item in piece:
            content = _described(item)
            kind = content.pop("kind")
            if kind == "entity":
                self._with_data("node", {"id": content.pop("id")}, content)
            else:
                ends = {"source": content.pop("head"), "target": content.pop("tail")}
                self._with_data("edge", ends, {"kind": kind, **content})
        return self._taken()

    def end(self, revision: int | None, *, complete: bool | None) -> bytes:
        if revision is not None:
            self._data("graph", {"revision": revision, "complete": "true" if complete else "false"})
        self._xml.endElement("graph")
        self._xml.endElement("graphml")
        self._xml.endDocument()
        return self._taken()

    def _with_data(self, element: str, attributes: dict[str, str], content: dict[str, Any]) -> None:
        self._xml.startElement(element, attributes)  # type: ignore[arg-type]
        self._data(element, content)
        self._xml.endElement(element)

    def _data(self, owner: str, content: dict[str, Any]) -> None:
        for name, value in content.items():
            text = ", ".join(value) if isinstance(value, list) else str(value)
            self._element("data", {"key": f"{owner}.{name}"}, _NOT_XML.sub("\ufffd", text))

    def _element(self, name: str, attributes: dict[str, str], text: str | None) -> None:
        self._xml.startElement(name, attributes)  # type: ignore[arg-type]
        if text is not None:
            self._xml.characters(text)
        self._xml.endElement(name)

    def _taken(self) -> bytes:
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return text.encode()


def _described(item: EntityCard | CoOccurrence | Assertion) -> dict[str, Any]:
    if isinstance(item, EntityCard):
        return {"kind": "entity", "id": item.id, "name": item.key, "type": item.type, "passages": item.passages}
    if isinstance(item, CoOccurrence):
        return {"kind": _TOGETHER, "head": item.head, "tail": item.tail, "weight": float(item.passages)}
    return {
        "kind": _STATED,
        "head": item.head,
        "tail": item.tail,
        "weight": item.weight,
        "keywords": list(item.keywords),
        "description": item.description,
        "passage": item.passage,
    }


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
