"""Chosen units as an answer: sentences with their citations, their own places on the page, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from atoll.domain.answer import Answer, AnsweredBy, AnswerPlace, Citation, Sentence, TableRow
from atoll.domain.evidence import Evidence
from atoll.domain.passage import Passage
from atoll.query.answer.chosen import Chosen
from atoll.query.answer.rows import rendered
from atoll.query.answer.steering import unmarked
from atoll.query.search.results import SearchResult


def presented(chosen: Sequence[Chosen], found: SearchResult) -> Answer:
    """Return the answer that shows some units, in their order."""
    cited = {each.unit.evidence.passage_id: each.unit.evidence for each in chosen}
    numbers = {passage: number for number, passage in enumerate(cited, start=1)}
    sentences = tuple(
        Sentence(
            unmarked(rendered(each.unit, each.columns)),
            (numbers[each.unit.evidence.passage_id],),
            supported=True,
            places=_places(each, numbers[each.unit.evidence.passage_id], found.passage_of(each.unit.evidence)),
            table=None if (row := each.unit.row) is None else TableRow(row.header, row.cells),
        )
        for each in chosen
    )
    return Answer(
        text=" ".join(cited_text(sentence) for sentence in sentences),
        answered_by=AnsweredBy.EXTRACT,
        refusal=None,
        sentences=sentences,
        citations=tuple(Citation(numbers[passage], evidence) for passage, evidence in cited.items()),
    )


def cited_text(sentence: Sentence) -> str:
    """Return a sentence followed by its marks: ``The pump weighs 12 kg. [1]``."""
    return " ".join((sentence.text, "".join(f"[{number}]" for number in sentence.citations))).rstrip()


def place_of(n: int, evidence: Evidence, passage: Passage | None, start: int, end: int) -> tuple[AnswerPlace, ...]:
    """Return where ``text[start:end]`` of a passage stands, a place a page; all of its boxes if that is not known."""
    layout = passage.layout if passage is not None else None
    if passage is None or layout is None:
        return (AnswerPlace(n, evidence.page, evidence.boxes, (start, end)),)
    found = layout.places(passage.text, start, end)
    return tuple(
        AnswerPlace(n, page, tuple(place.box for place in places), (start, end))
        for page, places in groupby(found, key=lambda place: place.page)
    )


def _places(each: Chosen, n: int, passage: Passage | None) -> tuple[AnswerPlace, ...]:
    unit = each.unit
    spans = [(unit.start, unit.end)]
    if unit.row is not None and each.columns:
        label = unit.row.cells.index(unit.row.label)
        cells = [unit.row.spans[at] for at in (label, *each.columns)]
        spans = [(cell.start, cell.end) for cell in cells if cell.end > cell.start] or spans
    return tuple(place for start, end in spans for place in place_of(n, unit.evidence, passage, start, end))
