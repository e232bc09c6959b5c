"""The pages of a long PDF between the two looks at them: packed, so that memory does not follow their number."""

from __future__ import annotations

import pickle
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.formats.pdf.layout import Row
    from parser.formats.pdf.rulings import Rulings

#: Pages that are kept as they are; of a document this short, packing would only cost time.
_UNPACKED = 20
_FAST = 1


@dataclass(slots=True)
class Column:
    """The rows of a column, and the page's drawn lines if a table is among them."""

    rows: list[Row]
    rulings: Rulings | None = None


class Spool:
    """Columns page by page, in order."""

    def __init__(self) -> None:
        self._plain: list[list[Column]] = []
        self._packed: list[bytes] = []

    def add(self, columns: list[Column]) -> None:
        """Keep the next page."""
        if len(self._plain) < _UNPACKED:
            self._plain.append(columns)
        else:
            self._packed.append(zlib.compress(pickle.dumps(columns, pickle.HIGHEST_PROTOCOL), _FAST))

    def pages(self) -> Iterator[list[Column]]:
        """The pages, each once: what was passed on is forgotten."""
        while self._plain:
            yield self._plain.pop(0)
        while self._packed:
            # What this process packed itself, and nothing else.
            yield pickle.loads(zlib.decompress(self._packed.pop(0)))  # noqa: S301
