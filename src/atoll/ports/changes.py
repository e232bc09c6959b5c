"""What changes in a knowledge base, for those who watch it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.document import Change, Document
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader


class Changes(Protocol):
    """The latest change of each document, and for an hour that a document left the sight of those who saw it."""

    async def latest(self, reader: Reader) -> int:
        """Return the number of the latest change, 0 when nothing has changed yet."""
        ...

    async def after(self, reader: Reader, number: int, *, limit: int) -> tuple[Change, ...]:
        """Return changes that the reader may be told of and whose number is above ``number``, in order."""
        ...

    async def among(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[Document, ...]:
        """Return those of some documents that are there for the reader, with their stages."""
        ...
