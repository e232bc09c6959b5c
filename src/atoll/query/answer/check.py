"""Checking what a model wrote against what it was shown, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.answer import AnswerPlace, Citation, Sentence
from atoll.domain.evidence import Evidence
from atoll.domain.passage import Passage
from atoll.domain.text.sentences import Span, lines, sentences
from atoll.query.answer.present import place_of
from atoll.query.answer.traced import Numbers, untraced, without_numbers
from atoll.query.text.terms import Terms, TermSet

#: Share of a sentence's content terms that its places must have.
SUPPORT_SHARE = 0.5
#: The same for a sentence without marks to be given a passage.
ATTRIBUTION_SHARE = 0.75
#: What stands behind a number that nothing the model was shown has.
UNTRACED = " (?)"
#: Sentences and rows of a passage that one sentence of an answer rests on at most.
MOST_PLACES = 3
#: Share of a sentence's terms from which a place says the same thing, or denies it.
_SAME = 0.7

_MARKS = re.compile(r"\s*[\[【]\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*[\]】]")
_NAME = re.compile(r"(?<=[^.!?:\s\"“„]\s)[^\W\d_a-zß-öø-ÿ][\w'’-]{2,}")
_DENIES = re.compile(
    r"\b(?:not|no|never|none|nobody|nothing|neither|cannot|forbidden|prohibited|nicht|kein\w*|nie|verboten)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence as it is shown, marks renumbered, and as it stands in the answer."""

    text: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class _Place:
    """A sentence or row of what the model was shown."""

    span: Span
    text: str
    terms: TermSet


class AnswerCheck:
    """Checks the sentences of one answer in order; citations are numbered as they appear."""

    def __init__(
        self, evidence: Sequence[Evidence], texts: Sequence[str], passages: Sequence[Passage | None], terms: Terms
    ) -> None:
        """``texts[i]`` is what the model was shown of ``evidence[i]``, which is in ``passages[i]``, as number i + 1."""
        self._evidence = evidence
        self._passages = passages
        self._terms = terms
        self._places = [_places(text, terms) for text in texts]
        # the prompt names the document of each text, and an answer may
        known = [f"{text}\n{entry.document}" for entry, text in zip(evidence, texts, strict=False)]
        self._named = [terms.of_passage(each) for each in known]
        self._numbers = [Numbers.of(each, terms) for each in known]
        self._cited: dict[int, int] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What has been cited so far."""
        return tuple(Citation(number, self._evidence[at]) for at, number in self._cited.items())

    @property
    def cited(self) -> frozenset[str]:
        """The passages that have been cited so far."""
        passages = (self._evidence[at].passage_id for at in self._cited)
        return frozenset(passage for passage in passages if passage is not None)

    def check(self, written: str) -> Checked:
        """Return a sentence of the model with its marks resolved, numbers that nothing has marked by `UNTRACED`.

        It is supported when its marks name passages in which sentences or rows have half of its content terms and deny
        what it denies, and which have all of its names and numbers. A sentence without marks gets the passage that has
        nearly all of it, if there is one.
        """
        bare = _MARKS.sub("", written).strip()
        wanted = self._terms.of_question(bare)
        words = self._terms.of_question(without_numbers(bare)) or wanted
        cited = self._resolved(written)
        if not cited and not _MARKS.search(written):
            cited = self._attributed(bare, words)
        found = {at: self._best_places(at, wanted) for at in cited}
        supported = self._supports(found, bare, words, SUPPORT_SHARE)
        numbers = tuple(self._number(at) for at in cited)
        text = self._marked(bare)
        places = tuple(place for at, chosen in found.items() for each in chosen for place in self._where(at, each))
        return Checked(self._shown(written, numbers), Sentence(text, numbers, supported, places if supported else ()))

    def _best_places(self, at: int, wanted: TermSet) -> list[_Place]:
        """Return the sentences and rows of a passage that together have most of some terms, in their order."""
        chosen: list[_Place] = []
        left = wanted
        for _ in range(MOST_PLACES):
            best = max(self._places[at], key=lambda each: len(left & each.terms), default=None)
            if best is None or not left & best.terms:
                break
            chosen.append(best)
            left -= best.terms
        return sorted(chosen, key=lambda each: each.span.start)

    def _where(self, at: int, place: _Place) -> tuple[AnswerPlace, ...]:
        return place_of(self._number(at), self._evidence[at], self._passages[at], place.span.start, place.span.end)

    def _shown(self, written: str, numbers: tuple[int, ...]) -> str:
        """The written sentence with its marks in place under their new numbers, or with the given marks at its end."""
        parts: list[str] = []
        at = 0
        for mark in _MARKS.finditer(written):
            parts.append(self._marked(written[at : mark.start()], first=at == 0))
            known = [self._cited[index] for index in _indices(mark[1]) if index in self._cited]
            if known:
                space = " " if mark[0][0].isspace() else ""
                parts.append(space + "".join(f"[{number}]" for number in dict.fromkeys(known)))
            at = mark.end()
        parts.append(self._marked(written[at:], first=at == 0))
        if at == 0 and numbers:
            parts.append(" " + "".join(f"[{number}]" for number in numbers))
        return "".join(parts)

    def _resolved(self, written: str) -> tuple[int, ...]:
        found = (index for mark in _MARKS.finditer(written) for index in _indices(mark[1]))
        return tuple(dict.fromkeys(index for index in found if 0 <= index < len(self._places)))

    def _attributed(self, bare: str, wanted: TermSet) -> tuple[int, ...]:
        if not wanted:
            return ()
        best = max(range(len(self._places)), key=lambda at: len(wanted & self._named[at]), default=None)
        if best is None:
            return ()
        found = {best: self._best_places(best, wanted)}
        return (best,) if self._supports(found, bare, wanted, ATTRIBUTION_SHARE) else ()

    def _supports(self, found: dict[int, list[_Place]], bare: str, wanted: TermSet, share: float) -> bool:
        places = [each for chosen in found.values() for each in chosen]
        has = frozenset[int]().union(*(each.terms for each in places), *(self._document(at) for at in found))
        return (
            bool(found)
            and len(wanted & has) >= share * len(wanted)
            and not untraced(bare, [self._numbers[at] for at in found], self._terms)
            and self._has_names(without_numbers(bare), found)
            and not _is_denied(bare, wanted, places)
        )

    def _document(self, at: int) -> TermSet:
        return self._terms.of_passage(self._evidence[at].document)

    def _has_names(self, bare: str, cited: dict[int, list[_Place]]) -> bool:
        """Whether the cited passages have the names of a sentence; in German every noun is written as one."""
        if self._terms.primary == "de":
            return True
        known = frozenset[int]().union(*(self._named[at] for at in cited))
        return all(self._terms.of_passage(match[0]) & known for match in _NAME.finditer(bare))

    def _marked(self, text: str, *, first: bool = True) -> str:
        """Put `UNTRACED` behind the numbers that follow from nothing the model was shown."""
        for figure in reversed(untraced(text, self._numbers, self._terms, first=first)):
            text = text[: figure.end] + UNTRACED + text[figure.end :]
        return text

    def _number(self, at: int) -> int:
        return self._cited.setdefault(at, len(self._cited) + 1)


def _places(text: str, terms: Terms) -> list[_Place]:
    found: list[_Place] = []
    for line in lines(text):
        told = text[line.start : line.end]
        is_row = " | " in told
        for start, end in [(0, len(told))] if is_row else sentences(told):
            found.append(
                _Place(Span(line.start + start, line.start + end), told[start:end], terms.of_passage(told[start:end]))
            )
    return found


def _is_denied(bare: str, wanted: TermSet, places: Sequence[_Place]) -> bool:
    """Whether the place that says most of what a sentence says denies it, or affirms what the sentence denies."""
    best = max(places, key=lambda each: len(wanted & each.terms), default=None)
    if best is None or len(wanted & best.terms) < _SAME * len(wanted):
        return False
    return bool(_DENIES.search(bare)) != bool(_DENIES.search(best.text))


def _indices(marks: str) -> list[int]:
    return [int(number) - 1 for number in re.split(r"\s*[,;]\s*", marks)]
