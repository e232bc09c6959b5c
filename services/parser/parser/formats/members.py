"""Documents inside a document: attachments of a message, members of an archive. Each is read as a section of its own.

Those with pages of their own are held until the rest is set: see `parser.appended`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atoll.domain import media
from atoll.domain.block import BlockKind
from atoll.errors import DocumentTooLarge, DocumentUnreadable, UnsupportedMediaType
from parser.appended import PagedMember
from parser.flow import Element
from parser.text import on_one_line

if TYPE_CHECKING:
    from parser.collector import Collector

#: Reads bytes into elements; the number says how deep they stand in other documents, from 1.
Reader = Callable[[bytes, "Collector", int], Iterator[Element]]

#: How deep documents may stand in each other: a message in a message in an archive is three.
DEEPEST = 4
_NAME_CHARACTERS = 200


@dataclass(slots=True)
class Tables:
    """Keeps the tables of documents that are read one after the other apart."""

    count: int = 0

    def apart(self, elements: Iterator[Element]) -> Iterator[Element]:
        """The elements with tables numbered on."""
        before = self.count
        for element in elements:
            if element.table:
                self.count = max(self.count, before + element.table)
                yield replace(element, table=before + element.table)
            else:
                yield element


class Members:
    """Reads members by what they are; ``readers`` know families of formats without pages."""

    def __init__(self, readers: dict[str, Reader], collector: Collector, depth: int) -> None:
        self._readers = readers
        self._collector = collector
        self._depth = depth
        self._tables = Tables()

    def apart(self, elements: Iterator[Element]) -> Iterator[Element]:
        """Elements whose tables are kept apart from those of the members."""
        return self._tables.apart(elements)

    def read(self, name: str, content: bytes) -> Iterator[Element]:
        """A heading with the member's name, then what it holds; a member that cannot be read is told of."""
        shown = on_one_line(name)[:_NAME_CHARACTERS] or "without a name"
        title, encoding, metadata = self._collector.title, self._collector.encoding, self._collector.metadata
        self._collector.metadata = {}  # a member's is not that of the whole
        try:
            media_type = media.sniff(name, content[: media.HEAD_BYTES])
            family = media.FAMILIES[media_type]
            reader = self._readers.get(family)
            if self._depth >= DEEPEST:
                self._collector.pass_over(shown, "was not read: it stands too deep in other documents")
                return
            if reader is None:
                if not self._collector.hold(PagedMember(shown, family, content)):
                    self._collector.pass_over(shown, "was not read; upload it as a document of its own")
                return
            yield Element(BlockKind.HEADING, shown, level=2)
            yield from self._tables.apart(reader(content, self._collector, self._depth + 1))
        except (UnsupportedMediaType, DocumentUnreadable) as err:
            self._collector.pass_over(shown, f"was not read: {err.message}")
        except DocumentTooLarge as err:
            raise DocumentTooLarge(f"{shown}: {err.message}") from err
        finally:
            self._collector.title, self._collector.encoding, self._collector.metadata = title, encoding, metadata
