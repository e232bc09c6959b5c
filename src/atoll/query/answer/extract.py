"""Answers without a model that writes: the sentences of the documents that say most about the question, verbatim."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from atoll.domain.answer import Answer, AnsweredBy, Citation, Sentence
from atoll.domain.embedding import InputType
from atoll.domain.evidence import Evidence
from atoll.domain.text.sentences import Span, lines, sentences
from atoll.ports.embedder import Embedder
from atoll.query.search.results import SearchResult
from atoll.query.text.terms import TermSet, covered_share, rarity

#: Passages whose sentences are looked at, and sentences whose meaning is compared.
MAX_PASSAGES = 8
MAX_EMBEDDED = 32
#: Sentences of an answer, and characters that end it early.
MAX_SENTENCES = 4
ENOUGH_CHARACTERS = 700

_TERMS_WEIGHT, _MEANING_WEIGHT, _RANK_WEIGHT = 0.47, 0.47, 0.06
#: Part of the first sentence's score that a further one must have.
_WORTH_ADDING = 0.8
#: Share of common terms from which two sentences say the same.
_SAME = 0.7
#: What a word counts that only begins like one of the question, and how much of it must be the same.
_AKIN = 0.6
_BEGINNING = 5
_WORD = re.compile(r"\w+")
#: What words of the heading and of the sentence before count in comparison to words of the sentence itself.
_CONTEXT = 0.5
_QUESTION_FACTOR, _FRAGMENT_FACTOR, _ENDLESS_FACTOR = 0.4, 0.5, 0.7
#: By how many content terms a sentence has that the question has not: a heading repeats the question.
_NEWS_FACTORS = (0.6, 0.8, 1.0)
_FRAGMENT_WORDS = 5
_ENDLESS_CHARACTERS = 500
_QUESTION_MARKS = ("?", "？", "؟")
_TERMINATORS = (*_QUESTION_MARKS, ".", "!", "…", "۔", "։", "।", "。", "！", "｡")
_CLOSERS = "\"'”’»)]」』）"


#: What the parser puts between the cells of a table's row; the first cell of a header is often empty.
_CELLS = re.compile(r"(?:^|(?<=\s))\|(?:\s|$)")
#: A row without its header, or a few words without their heading, mean little.
_SHORT_WORDS = 12


@dataclass(slots=True)
class _Candidate:
    """A sentence or a table's row. ``meaning`` is what is embedded: the text with what it needs to be understood."""

    evidence: Evidence
    start: int
    text: str
    meaning: str
    terms: TermSet
    context: TermSet
    is_title: bool = False
    score: float = 0.0


async def extract(found: SearchResult, embedder: Embedder) -> Answer:
    """Return one to four sentences of the evidence, each cited, the best passage first.

    A sentence is scored by the question's terms in it, weighted by their rarity among the passages, by its meaning
    and by its passage's rank. ``found`` must hold evidence.

    Raises:
        DependencyDown: the embedder is away.
    """
    candidates = _candidates(found)
    wanted = found.terms.of_question(found.question)
    weights = rarity(wanted, (found.terms.of_passage(entry.text) for entry in found.evidence))
    beginnings = _beginnings(found)
    for candidate in candidates:
        own = covered_share(weights, candidate.terms)
        own += _AKIN * covered_share(weights, _akin(candidate, wanted, beginnings))
        around = covered_share(weights, candidate.terms | candidate.context)
        words = own + _CONTEXT * (around - own)
        candidate.score = _TERMS_WEIGHT * words + _RANK_WEIGHT * _standing(candidate.evidence)
    nearest = sorted(candidates, key=lambda candidate: -candidate.score)[:MAX_EMBEDDED]
    await _add_meaning(nearest, found, embedder)
    return _answer(_chosen(nearest))


def _standing(evidence: Evidence) -> float:
    """How good a passage is by its place, 1 for the first: scores of the modes of search have no scale in common."""
    return 1 / math.sqrt(evidence.rank)


def _beginnings(found: SearchResult) -> dict[int, str]:
    """How the question's longer words begin, by term: "weigh" asks for a "weight", which has another stem."""
    words = _WORD.findall(found.question.casefold())
    return {
        term: word[:_BEGINNING] for word in words if len(word) >= _BEGINNING for term in found.terms.of_question(word)
    }


def _akin(candidate: _Candidate, wanted: TermSet, beginnings: Mapping[int, str]) -> set[int]:
    """Return the wanted terms that a sentence has not, but a word that begins like one."""
    own = {word[:_BEGINNING] for word in _WORD.findall(candidate.text.casefold())}
    return {term for term in wanted - candidate.terms if beginnings.get(term) in own}


def _candidates(found: SearchResult) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    known: set[str] = set()
    # Entities and relations repeat sentences of passages.
    passages = [entry for entry in found.evidence if entry.entity is None and entry.relation is None]
    for entry in passages[:MAX_PASSAGES]:
        for candidate in _of_passage(entry, found):
            if candidate.text.casefold() not in known:
                candidates.append(candidate)
                known.add(candidate.text.casefold())
    return candidates


def _of_passage(entry: Evidence, found: SearchResult) -> Iterator[_Candidate]:
    headings = found.headings_of(entry)
    heading_terms = found.terms.of_passage("\n".join(headings))
    before: TermSet = frozenset()
    header: Span | None = None
    for line in lines(entry.text):
        row = entry.text[line.start : line.end]
        if not _CELLS.search(row):
            header = None
        elif header is None:
            header = line
        for start, end in [line] if header else _sentences_of(entry.text, line):
            text = entry.text[start:end]
            terms = found.terms.of_passage(text)
            above = "" if header is None or header == line else entry.text[header.start : header.end]
            yield _Candidate(
                entry,
                start,
                text,
                _meaning(text, above, headings),
                terms,
                heading_terms | (found.terms.of_passage(above) if above else before),
                is_title=text in headings or (header == line and not any(map(str.isdigit, text))),
            )
            before = terms  # what a sentence calls "it" is named in the one before


def _sentences_of(text: str, line: Span) -> list[Span]:
    spans = sentences(text[line.start : line.end])
    return [Span(line.start + start, line.start + end) for start, end in spans]


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _CELLS.split(row)]


def _meaning(text: str, header: str, headings: Sequence[str]) -> str:
    cells, names = _cells(text), _cells(header)
    if len(cells) == len(names) > 1:
        text = ", ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True))
    if len(cells) > 1 or len(text.split()) < _SHORT_WORDS:
        above = dict.fromkeys(heading for heading in (*headings[:1], *headings[-1:]) if heading not in text)
        return ": ".join((*above, text))
    return text


async def _add_meaning(candidates: Sequence[_Candidate], found: SearchResult, embedder: Embedder) -> None:
    assert found.vector is not None, "evidence comes from a search by vector"
    wanted = found.terms.of_question(found.question)
    # as queries: they are served before the texts of an ingest, and a question compares well with its like
    rows = await embedder.embed([candidate.meaning for candidate in candidates], input_type=InputType.QUERY)
    for candidate, cosine in zip(candidates, (rows @ found.vector).tolist(), strict=True):
        score = candidate.score + _MEANING_WEIGHT * max(cosine, 0.0)
        told = len(found.terms.of_question(candidate.text) - wanted)
        news = _NEWS_FACTORS[min(told, len(_NEWS_FACTORS) - 1)]
        candidate.score = score * _form_factor(candidate) * news


def _form_factor(candidate: _Candidate) -> float:
    """How good a sentence can be as an answer by its form: a question or a heading answers nothing."""
    text = candidate.text
    bare = text.rstrip(_CLOSERS)
    if bare.endswith(_QUESTION_MARKS) or candidate.is_title:
        return _QUESTION_FACTOR
    if len(text) > _ENDLESS_CHARACTERS:
        return _ENDLESS_FACTOR
    fragment = len(text.split()) < _FRAGMENT_WORDS and not bare.endswith(_TERMINATORS)
    return _FRAGMENT_FACTOR if fragment and text.isascii() and not any(map(str.isdigit, text)) else 1.0


def _chosen(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    ranked = sorted(candidates, key=lambda candidate: (-candidate.score, candidate.evidence.rank, candidate.start))
    chosen: list[_Candidate] = []
    for candidate in ranked:
        full = len(chosen) == MAX_SENTENCES or sum(len(other.text) for other in chosen) > ENOUGH_CHARACTERS
        if chosen and (full or candidate.score < _WORTH_ADDING * chosen[0].score):
            break
        if not any(_same(candidate.terms, other.terms) for other in chosen):
            chosen.append(candidate)
    # The passage with the best sentence first, and within a passage as it is written.
    best = {candidate.evidence.passage_id: candidate.score for candidate in reversed(chosen)}
    return sorted(chosen, key=lambda candidate: (-best[candidate.evidence.passage_id], candidate.start))


def _same(first: TermSet, second: TermSet) -> bool:
    return len(first & second) >= _SAME * max(1, min(len(first), len(second)))


def _answer(chosen: Sequence[_Candidate]) -> Answer:
    cited = {candidate.evidence.passage_id: candidate.evidence for candidate in chosen}
    numbers = {passage: number for number, passage in enumerate(cited, start=1)}
    found = tuple(
        Sentence(candidate.text, (numbers[candidate.evidence.passage_id],), supported=True) for candidate in chosen
    )
    return Answer(
        text=" ".join(cited_text(sentence) for sentence in found),
        answered_by=AnsweredBy.EXTRACT,
        refusal=None,
        sentences=found,
        citations=tuple(Citation(numbers[passage], evidence) for passage, evidence in cited.items()),
    )


def cited_text(sentence: Sentence) -> str:
    """Return a sentence followed by its marks: ``The pump weighs 12 kg. [1]``."""
    return " ".join((sentence.text, "".join(f"[{number}]" for number in sentence.citations))).rstrip()
