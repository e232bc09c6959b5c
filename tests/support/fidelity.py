"""How much of a document was read, how much of what was read is in it, and in which order it came."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass

from atoll.domain.block import Block, BlockKind, Row
from atoll.domain.parsed import ParsedDocument
from tests.support.structures import Grid

#: Scripts that break lines within words are counted by sign.
_WORD = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]|[^\W\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]+")
#: Words that may stand between two neighbours of the reference: a note's mark, a page's foot.
_APART = 3
_RAISED = re.compile("[\u00b2\u00b3\u00b9\u2070-\u209c]+")


@dataclass(frozen=True)
class Fidelity:
    """Shares of words, from 0 to 1; ``disorder`` is that of neighbouring words that come out in another order."""

    recall: float
    precision: float
    disorder: float
    words: int


def words(text: str) -> list[str]:
    """The words of a text; raised and lowered signs, and those of ligatures, as plain ones of their own."""
    text = _RAISED.sub(lambda found: f" {unicodedata.normalize('NFKC', found[0])} ", text)
    return _WORD.findall(unicodedata.normalize("NFKC", text.replace("\u00ad", "")).casefold())


def everything(document: ParsedDocument, *, labels: bool = True, without: tuple[str, ...] = ()) -> str:
    """All that was read, what pages repeat and what was left out included.

    List numbers with ``labels`` only; blocks that say what is in ``without`` are passed over, and so is the head of a
    table that goes on with the one before it on another page.
    """
    texts: list[str] = []
    head, page = "", 0
    for block in document.blocks:
        if block.kind is BlockKind.TABLE:
            pages = [line.page for line in block.all_lines]
            texts.append(_table_text(block, head if page < pages[0] else ""))
            head, page = _head(block), pages[-1]
        elif block.text not in without:
            head = head if block.kind.is_page_furniture else ""
            texts.append(block.text.removeprefix(block.label) if block.label and not labels else block.text)
    return "\n".join([*texts, *(each.text for each in document.skipped)])


def _head(block: Block) -> str:
    return "\n".join(cell.text for row in block.rows if row.is_header for cell in row.cells)


def _table_text(block: Block, before: str) -> str:
    """A table's caption and cells, each cell once."""
    head = _head(block)
    body = [cell.text for row in block.rows if not row.is_header for cell in row.cells]
    return "\n".join([*(line.text for line in block.caption), *([head] if head != before else []), *body])


def compare(reference: list[str], found: list[str]) -> Fidelity:
    """Compare what was read with what is there."""
    there, read = Counter(reference), Counter(found)
    common = sum((there & read).values())
    return Fidelity(
        common / len(reference) if reference else 1.0,
        common / len(found) if found else 1.0,
        _disorder(reference, found, read),
        len(reference),
    )


def _disorder(reference: list[str], found: list[str], read: Counter[str]) -> float:
    near: Counter[tuple[str, str]] = Counter()
    for at, word in enumerate(found):
        for other in found[at + 1 : at + 1 + _APART]:
            near[word, other] += 1
    left = Counter(read)
    kept = [word for word in reference if left[word] > 0 and not left.subtract([word])]
    pairs = list(itertools.pairwise(kept))
    parted = 0
    for pair in pairs:
        if near[pair] > 0:
            near[pair] -= 1
        else:
            parted += 1
    return parted / len(pairs) if pairs else 0.0


def cells_right(grids: list[Grid], document: ParsedDocument) -> tuple[int, int]:
    """How many filled cells of the bodies of tables stand under their column's head and beside their row's, and of how
    many."""
    places: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for block in document.blocks:
        if block.kind is BlockKind.TABLE:
            _gather(block, places)
    right = total = 0
    for grid in grids:
        covered = grid.covered()
        for row in covered[grid.headers :]:
            for column, text in enumerate(row):
                if column and text:
                    total += 1
                    head = " ".join(dict.fromkeys(covered[at][column] for at in range(grid.headers)))
                    right += (_plain(head), _plain(row[0])) in places[_plain(text)]
    return right, total


def _gather(block: Block, places: dict[str, set[tuple[str, str]]]) -> None:
    heads = [row for row in block.full_rows() if row.is_header]
    for row in block.full_rows():
        if row.is_header:
            continue
        for cell in row.cells:
            for column in range(cell.column, cell.column + cell.columns):
                head = " ".join(dict.fromkeys(filter(None, (_at(each, column) for each in heads))))
                places[_plain(cell.text)].add((_plain(head), _plain(_at(row, 0))))


def _at(row: Row, column: int) -> str:
    return next((each.text for each in row.cells if each.column <= column < each.column + each.columns), "")


def _plain(text: str) -> str:
    return " ".join(text.split())
