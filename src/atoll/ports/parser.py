from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atoll.domain.page import Box, HeatMap
    from atoll.domain.parsed import ParsedDocument


class Parser(Protocol):
    """Reads documents and draws their pages, in processes that hold nothing but the one file they were given."""

    async def parse(
        self,
        *,
        source: BinaryIO,
        name: str,
        media_type: str,
        result: BinaryIO,
        rendition: BinaryIO,
        password: str | None = None,
    ) -> ParsedDocument:
        """Read ``source`` and leave its ``ParsedDocument`` as JSON in ``result``.

        A format without pages also leaves the PDF it was typeset to in ``rendition``, and an encrypted PDF that
        ``password`` opens the same PDF without encryption; it stays empty for the others. All three are real files,
        open, and the two to write to are empty. Cancelling stops the work.

        Raises:
            DocumentEncrypted: the document is encrypted, and ``password`` does not open it.
            DocumentUnreadable: the bytes are broken or hold no document of that media type.
            DocumentTooLarge: a limit on pages, characters or inflated size is passed.
            UnsupportedMediaType: nothing reads that media type.
            ParserDied: reading the document ended its process (memory, time or a crash).
            DependencyDown: the parser is away or busy; the document is not to blame.
        """
        ...

    async def draw(
        self, *, pdf: BinaryIO, page: int, dpi: int, marks: Sequence[Box] = (), heat: HeatMap | None = None
    ) -> bytes:
        """The page (from 1) of a PDF as PNG at ``dpi``, with ``marks`` (page points, origin top left) highlighted.

        With ``heat`` its places are coloured by how warm they are; writing stays readable.

        Raises:
            NotFound: the document has no such page.
            DocumentUnreadable, DocumentTooLarge, ParserDied, DependencyDown: as for ``parse``.
        """
        ...
