"""Checking what a model wrote against what it was shown, sentence by sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.answer import Citation, Sentence
from atoll.domain.evidence import Evidence
from atoll.query.text.terms import Terms, TermSet

#: Share of a sentence's content terms that the passages it cites must have.
SUPPORT_SHARE = 0.5
#: The same for a sentence without marks to be given one.
ATTRIBUTION_SHARE = 0.75
#: What stands where a number was removed.
REMOVED = "…"

_MARKS = re.compile(r"\s*[\[【]\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*[\]】]")
#: Words with a digit in them: numbers, dates, times, codes.
_NUMBER = re.compile(r"[^\W_]*\d[^\W_]*(?:[.,:/\-\u2010\u2011][^\W_]+)*")
_ENUMERATOR = re.compile(r"^\s*(?:[-*•]\s*)?\d{1,3}[.)]\s")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SEPARATORS = re.compile(r"[^\w]|_")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers and codes of a text, comparable across ways of writing them."""

    words: frozenset[str]
    values: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Numbers:
        """Return the numbers and codes of ``text``."""
        found = [match[0] for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text))]
        values = frozenset(_value(digits) for word in found for digits in _DIGITS.findall(word))
        # 14.03.2025 is also 14, 03 and 2025, which a sentence may write in words around them
        single = frozenset(_value(digits) for word in found for digits in re.findall(r"\d+", word))
        return cls(frozenset(map(_squeezed, found)), values | single)

    def __or__(self, other: Numbers) -> Numbers:
        return Numbers(self.words | other.words, self.values | other.values)

    def has(self, word: str) -> bool:
        """Return whether a number or code is among these: codes as a whole, measures such as ``12kg`` by value."""
        if _squeezed(word) in self.words:
            return True
        return word[0].isdigit() and all(_value(digits) in self.values for digits in _DIGITS.findall(word))


def _squeezed(word: str) -> str:
    return _SEPARATORS.sub("", word).casefold()


def _value(digits: str) -> str:
    """Return a number without thousands separators and needless zeros; both conventions come to the same."""
    *whole, last = re.split("[.,]", digits)
    if whole and not (len(last) == 3 and all(len(part) == 3 for part in whole[1:])):  # noqa: PLR2004 - thousands
        return f"{int(''.join(whole))}.{last.rstrip('0') or '0'}".removesuffix(".0")
    return str(int("".join((*whole, last))))


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence as it is shown, marks renumbered, and as it stands in the answer."""

    text: str
    sentence: Sentence


class AnswerCheck:
    """Checks the sentences of one answer in order; citations are numbered as they appear."""

    def __init__(self, evidence: Sequence[Evidence], texts: Sequence[str], terms: Terms) -> None:
        """``texts[i]`` is what the model was shown of ``evidence[i]``, under the number i + 1."""
        self._evidence = evidence
        self._terms = terms
        self._passage_terms = [terms.of_passage(text) for text in texts]
        self._numbers = [Numbers.of(text) for text in texts]
        self._all_numbers = Numbers(frozenset(), frozenset())
        for numbers in self._numbers:
            self._all_numbers |= numbers
        self._cited: dict[int, int] = {}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What has been cited so far."""
        return tuple(Citation(number, self._evidence[at]) for at, number in self._cited.items())

    def check(self, written: str) -> Checked:
        """Return a sentence of the model with numbers that no evidence has removed and its marks resolved.

        It is supported when its marks name passages that have its numbers and at least half of its content terms.
        A sentence without marks gets the passage that has nearly all of it, if there is one.
        """
        bare = _MARKS.sub("", written).strip()
        wanted = self._terms.of_question(bare)
        cited = self._resolved(written)
        if not cited and not _MARKS.search(written):
            cited = self._attributed(bare, wanted)
        text, complete = self._without_foreign_numbers(bare)
        supported = complete and self._supports(cited, bare, wanted, SUPPORT_SHARE)
        numbers = tuple(self._number(at) for at in cited)
        shown = self._shown(written, numbers)
        return Checked(shown, Sentence(text, numbers, supported))

    def _shown(self, written: str, numbers: tuple[int, ...]) -> str:
        """The written sentence with its marks in place under their new numbers, or with the given marks at its end."""
        parts: list[str] = []
        at = 0
        for mark in _MARKS.finditer(written):
            parts.append(self._without_foreign_numbers(written[at : mark.start()], first=at == 0)[0])
            known = [self._cited[index] for index in _indices(mark[1]) if index in self._cited]
            if known:
                space = " " if mark[0][0].isspace() else ""
                parts.append(space + "".join(f"[{number}]" for number in dict.fromkeys(known)))
            at = mark.end()
        parts.append(self._without_foreign_numbers(written[at:], first=at == 0)[0])
        if at == 0 and numbers:
            parts.append(" " + "".join(f"[{number}]" for number in numbers))
        return "".join(parts)

    def _resolved(self, written: str) -> tuple[int, ...]:
        found = (index for mark in _MARKS.finditer(written) for index in _indices(mark[1]))
        return tuple(dict.fromkeys(index for index in found if 0 <= index < len(self._evidence)))

    def _attributed(self, bare: str, wanted: TermSet) -> tuple[int, ...]:
        if not wanted:
            return ()
        best = max(range(len(self._passage_terms)), key=lambda at: len(wanted & self._passage_terms[at]), default=None)
        return (best,) if best is not None and self._supports((best,), bare, wanted, ATTRIBUTION_SHARE) else ()

    def _supports(self, cited: tuple[int, ...], bare: str, wanted: TermSet, share: float) -> bool:
        if not cited:
            return False
        terms = frozenset().union(*(self._passage_terms[at] for at in cited))
        numbers = [self._numbers[at] for at in cited]
        written = _numbers_in(bare)
        return len(wanted & terms) >= share * len(wanted) and all(
            any(known.has(match[0]) for known in numbers) for match in written
        )

    def _without_foreign_numbers(self, text: str, *, first: bool = True) -> tuple[str, bool]:
        """Replace numbers that no shown text has; False when there were any."""
        foreign = [match for match in _numbers_in(text, first=first) if not self._all_numbers.has(match[0])]
        for match in reversed(foreign):
            text = text[: match.start()] + REMOVED + text[match.end() :]
        return text, not foreign

    def _number(self, at: int) -> int:
        return self._cited.setdefault(at, len(self._cited) + 1)


def _numbers_in(text: str, *, first: bool = True) -> list[re.Match[str]]:
    """The numbers of a sentence, but not the number that a list item starts with."""
    enumerator = _ENUMERATOR.match(text) if first else None
    return list(_NUMBER.finditer(text, enumerator.end() if enumerator else 0))


def _indices(marks: str) -> list[int]:
    return [int(number) - 1 for number in re.split(r"\s*[,;]\s*", marks)]
