"""The units of the evidence, weighed against the question and ranked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from atoll.domain.embedding import InputType
from atoll.domain.evidence import Evidence
from atoll.ports.embedder import Embedder
from atoll.query.answer.fit import STRICT, fits, names_in
from atoll.query.answer.rows import rendered
from atoll.query.answer.scale import CosineScale
from atoll.query.answer.steering import is_steered, steers
from atoll.query.answer.units import CLOSERS, QUESTION_MARKS, Form, TableRow, Unit, units
from atoll.query.answer.weigh import Weighed, Weigher, rarities
from atoll.query.question.asked import Asked
from atoll.query.question.concept import Part
from atoll.query.question.kinds import Wanted, asks_type, heads_type
from atoll.query.search.results import SearchResult
from atoll.query.text.terms import Terms

#: Passages whose units are looked at, and units whose meaning is compared.
MAX_PASSAGES = 20
MAX_EMBEDDED = 20

#: What the signs of a good answer count: words met with the unit's frame and by itself, meaning, the type of the
#: answer, the place of the passage, and that what is not so is said to be not so.
_MET, _OWN, _MEANING, _FIT, _RANK, _NEGATION, _SEVERAL, _LACKING = 0.35, 0.15, 0.3, 0.1, 0.05, 0.1, 0.08, 0.3
#: Units that seldom are an answer: headings, questions, fragments.
_TITLE, _QUESTION, _FRAGMENT = 0.4, 0.4, 0.6
_FRAGMENT_WORDS, _SHORT_WORDS = 4, 12
_FEW_PARTS = 2
#: Types that a name can have in its words: "Silver Fulmar", "Route 2".
_SAID_BY_NAMES = frozenset({Wanted.COLOUR, Wanted.NUMBER})
#: Words of a cell that holds a figure and nothing that explains it.
_BARE_WORDS = 3
#: Share of a question in a unit's own words from which it speaks for itself, and what it costs to say the contrary.
_OWN_WORDS, _CONTRARY = 0.5, 0.3
_ENUMERATION = re.compile(r"(?:[^,;]+[,;]){2,}[^,;]*\b(?:and|or|und|oder|et|y|e)\b|(?:[^;]+;){2,}|:\s[^,]+,[^,]+,")
_NEGATED = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|nor|without|except|cannot|forbidden|only|nicht|kein\w*|nie|ohne|außer)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """``all`` are the units of the passages in reading order, best passage first; ``best`` the best, in their order."""

    asked: Asked
    weigher: Weigher
    all: Sequence[Weighed]
    best: Sequence[Weighed]


async def judge(found: SearchResult, embedder: Embedder, scale: CosineScale) -> Judged:
    """Weigh the units of the best passages; ``scale`` is that of the embedder's cosines.

    Raises:
        DependencyDown: the embedder is away.
    """
    assert found.asked is not None, "evidence is only found for a question that was understood"
    weigher = Weigher(found.asked.parts, rarities(found.asked.parts, found.rarity), found.terms)
    everything = [weigher.weighed(unit, document=unit.evidence.document) for unit in _units(found)]
    for each in everything:
        weigher.credit(each, found.asked.typed, fits=shows_type(each.unit, found.asked, found.terms))
        each.score = _form(each.unit, found.asked) * _words(each, weigher, found.asked)
    nearest = sorted(everything, key=lambda each: -each.score)[:MAX_EMBEDDED]
    await _add_meaning(nearest, found, embedder, scale)
    nearest.sort(key=lambda each: (-each.score, each.unit.evidence.rank, each.unit.start))
    return Judged(found.asked, weigher, everything, nearest)


def _units(found: SearchResult) -> Iterator[Unit]:
    """Yield the units of the best passages, each text once; entities and relations repeat sentences of passages."""
    known: set[tuple[str, str]] = set()
    about_orders = steers(found.question)
    entries = [each for each in found.evidence if each.entity is None and each.relation is None and each.text]
    for entry in entries[:MAX_PASSAGES]:
        for unit in _of_entry(entry, found):
            key = (unit.text.casefold(), unit.lead)
            if key not in known and (about_orders or not is_steered(entry.text or "", unit.start)):
                known.add(key)
                yield unit


def _of_entry(entry: Evidence, found: SearchResult) -> list[Unit]:
    passage = found.passage_of(entry)
    return units(entry, found.headings_of(entry), passage.layout if passage else None, found.titles_of(entry))


def _words(each: Weighed, weigher: Weigher, asked: Asked) -> float:
    each.fit = float(shows_type(each.unit, asked, weigher.terms))
    score = _MET * each.coverage + _OWN * each.own_coverage + _FIT * each.fit
    score += _RANK / math.sqrt(each.unit.evidence.rank) - _LACKING * weigher.lacks(each)
    if asked.wants_list and enumerates(each.unit.text):
        score += _SEVERAL
    if asked.negated:
        if denies(each.unit.text):
            score += _NEGATION
        elif is_under_denial(each.unit):  # what such a list says with the question's own words is so after all
            score += _NEGATION if each.own_coverage < _OWN_WORDS else -_CONTRARY
    return score


def denies(text: str) -> bool:
    """Whether a text says that something is not so."""
    return _NEGATED.search(text) is not None


def is_under_denial(unit: Unit) -> bool:
    """Whether a unit stands under a heading or line that says that something is not so."""
    return denies("\n".join((*unit.headings[-1:], unit.lead)))


def shows_type(unit: Unit, asked: Asked, terms: Terms) -> bool:
    """Whether a unit has the type that is wanted; the unit or currency of a row's figure stands over its column."""
    row = unit.row
    if row is None and of_other_dimension(asked, unit.text, terms):
        return False
    if answers(asked, unit.text):
        return (
            row is None or asked.wanted not in STRICT or not any(row.header) or _in_its_column(row, unit, asked, terms)
        )
    if row is None or not any(map(str.isdecimal, "".join(row.cells[1:]))):
        return False
    return heads_type(" ".join((*row.header, row.caption, unit.lead, row.label)), asked.wanted)


def of_other_dimension(asked: Asked, text: str, terms: Terms) -> bool:
    """Whether a text says of its length that it is another one: how high a thing is where it is asked how wide."""
    if asked.wanted is not Wanted.LENGTH:
        return False
    wanted = frozenset[int]().union(*(asked.parts[at].terms | asked.parts[at].kin for at in asked.typed))
    said = [terms.of_passage(word) for word in re.findall(r"[^\W\d_]+", text) if asks_type(word, Wanted.LENGTH)]
    return bool(wanted and said) and not any(each & wanted for each in said)


def _in_its_column(row: TableRow, unit: Unit, asked: Asked, terms: Terms) -> bool:
    """Whether a value of the type that is wanted stands where it says what is asked: a deposit is no price.

    Its column has a name of the question or of the type, or none; or the row or what the table is under has one. A cell
    that says something in words says itself what its figures are.
    """
    if heads_type(" ".join((row.caption, unit.lead, row.label, *unit.headings[-1:])), asked.wanted):
        return True
    wanted = frozenset[int]().union(*(part.terms | part.kin | part.distant for part in asked.parts))
    return any(
        not name
        or len(cell.split()) > _BARE_WORDS
        or heads_type(name, asked.wanted)
        or wanted & terms.of_passage(name)
        or asked.wanted is Wanted.TIME
        for name, cell in zip(row.header, row.cells, strict=True)
        if cell and fits(asked.wanted, cell)
    )


def answers(asked: Asked, text: str) -> bool:
    """Whether a text has the type that is wanted, beyond what the question names: "Silver Fulmar" tells no colour."""
    if asked.wanted is Wanted.PERSON:
        return named(asked, text) > 0
    if asked.wanted not in _SAID_BY_NAMES or not fits(asked.wanted, text):
        return fits(asked.wanted, text)
    own = tuple(part.text for part in asked.parts if part.part in (Part.NAME, Part.CODE, Part.LABELLED))
    return fits(asked.wanted, _without(own).sub("x", text)) if own else True


def named(asked: Asked, text: str) -> int:
    """Return whether a text names somebody whom the question does not: 2 by a full name, 1 by a single word."""
    own = tuple(part.text for part in asked.parts)
    return names_in(_without(own).sub("x", text) if own else text)


@lru_cache(maxsize=64)
def _without(texts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b{re.escape(text)}\b" for text in texts), re.IGNORECASE)


def enumerates(text: str) -> bool:
    """Whether a sentence names several things one after the other."""
    return _ENUMERATION.search(text) is not None


def _form(unit: Unit, asked: Asked) -> float:
    """How good a unit can be as an answer by its form."""
    if unit.form is Form.TITLE:
        return 1.0 if _is_named(asked) and len(unit.text.split()) >= _FRAGMENT_WORDS else _TITLE
    if unit.text.rstrip(CLOSERS).endswith(QUESTION_MARKS):
        return _QUESTION
    words = len(unit.text.split())
    if unit.form is Form.SENTENCE and words < _FRAGMENT_WORDS and not any(map(str.isdigit, unit.text)):
        return _FRAGMENT
    return _FRAGMENT if unit.text.endswith(":") and words < _SHORT_WORDS else 1.0


def _is_named(asked: Asked) -> bool:
    """Whether it is asked what a thing is that has a code: the title of its paper says so best."""
    return asked.defines and any(part.part is Part.CODE for part in asked.parts) and len(asked.parts) <= _FEW_PARTS


async def _add_meaning(nearest: Sequence[Weighed], found: SearchResult, embedder: Embedder, scale: CosineScale) -> None:
    assert found.vector is not None, "evidence comes from a search by vector"
    if not nearest:
        return
    assert found.asked is not None
    # as queries: they are served before the texts of an ingest, and a question compares well with its like
    rows = await embedder.embed([_meaning(each.unit) for each in nearest], input_type=InputType.QUERY)
    for each, cosine in zip(nearest, (rows @ found.vector).tolist(), strict=True):
        each.nearness = scale.of(cosine)
        each.score += _MEANING * _form(each.unit, found.asked) * each.nearness


def _meaning(unit: Unit) -> str:
    """Return what is embedded: the text with what it needs to be understood."""
    text = rendered(unit)
    if unit.row is not None or len(unit.text.split()) < _SHORT_WORDS:
        around = (*unit.headings[:1], *unit.headings[-1:], unit.lead)
        return ": ".join((*dict.fromkeys(each for each in around if each and each not in text), text))
    return text
