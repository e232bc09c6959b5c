"""What goes on over the end of a column or page: paragraphs and tables are put together before they are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.block import Block, BlockKind
from parser.formats.pdf.lines import ends_sentence, joined
from parser.formats.pdf.table_block import continued

if TYPE_CHECKING:
    from parser.collector import Collector

#: What may stand between the two parts of a paragraph.
_BETWEEN = frozenset(
    {BlockKind.FOOTNOTE, BlockKind.PAGE_HEADER, BlockKind.PAGE_FOOTER, BlockKind.MARGIN, BlockKind.CAPTION}
)
_MOST_WAITING = 50

_Look = tuple[str, int]


class Joins:
    """Passes blocks on to the collector, those that go on as one."""

    def __init__(self, collector: Collector, words: frozenset[str]) -> None:
        self._collector = collector
        self._words = words
        self._open: Block | None = None
        self._look: _Look = ("", 0)
        self._is_full = False
        self._waiting: list[Block] = []

    def add(self, block: Block, *, is_full: bool = False, look: _Look = ("", 0)) -> None:
        """Take the next block; ``is_full`` says that its last line fills its column, ``look`` is font and size."""
        if block.kind in _BETWEEN and self._open is not None and len(self._waiting) < _MOST_WAITING:
            self._waiting.append(block)
            return
        if self._open is not None and self._goes_on(block, look):
            self._open = joined(self._open, block, self._words)
        elif self._open is not None and (table := self._continued(block)):
            self._open = table
        else:
            self.end()
            self._open = block
        self._is_full, self._look = is_full, look

    def end(self) -> None:
        """Pass on what waits."""
        if self._open is not None:
            self._collector.add(self._open)
        for block in self._waiting:
            self._collector.add(block)
        self._open, self._waiting = None, []

    def _goes_on(self, block: Block, look: _Look) -> bool:
        first = self._open
        if first is None or not self._is_full or look != self._look or not first.lines or not block.lines:
            return False
        if block.kind is not BlockKind.PARAGRAPH or first.kind not in {BlockKind.PARAGRAPH, BlockKind.LIST_ITEM}:
            return False
        last, following = first.lines[-1], block.lines[0]
        # Below it on the same page is a paragraph of its own; beside it or on the next page it may go on.
        elsewhere = following.page > last.page or following.box.y0 < last.box.y0
        return elsewhere and following.page <= last.page + 1 and not ends_sentence(last.text)

    def _continued(self, block: Block) -> Block | None:
        first = self._open
        if first is None or first.kind is not BlockKind.TABLE or block.kind is not BlockKind.TABLE:
            return None
        last = max(line.page for line in first.all_lines)
        return continued(first, block) if min(line.page for line in block.all_lines) == last + 1 else None
