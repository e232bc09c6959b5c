"""A part of a question that an answer must meet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from atoll.domain.text.dates import Date
from atoll.query.text.terms import TermSet


class Part(StrEnum):
    """What a concept is: ``LABELLED`` is a word with its number ("Route 2", "fault 4", "choice B")."""

    WORD = "word"
    NAME = "name"
    CODE = "code"
    LABELLED = "labelled"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Concept:
    """A part of a question. ``terms`` are those of the word as a whole, ``pieces`` of what it is made of.

    ``kin`` are terms of the same meaning or family, ``distant`` those of words that could be said of anything,
    ``phrases`` several words that mean the same, folded.
    The words of one name have one ``group``; ``number`` is that of a label, figure or code, ``unit`` what a number is
    of ("three months"); what is ``soft`` need not be met. The ``key`` is what is asked for: the thing that is counted,
    listed or compared; what is ``excluded`` is not to be told ("besides the discount"). Of ``rivals``, each the words
    of a name, one must be met. ``share`` is what a part counts that comes from the conversation.
    """

    part: Part
    text: str
    start: int
    end: int
    terms: TermSet
    pieces: TermSet = frozenset()
    kin: TermSet = frozenset()
    distant: TermSet = frozenset()
    phrases: tuple[str, ...] = ()
    beginning: str = ""
    generic: bool = False
    group: int = -1
    number: str = ""
    values: frozenset[str] = frozenset()
    date: Date | None = None
    soft: bool = False
    key: bool = False
    excluded: bool = False
    rivals: tuple[tuple[TermSet, ...], ...] = ()
    share: float = 1.0
    unit: TermSet = frozenset()

    @property
    def is_hard(self) -> bool:
        """Whether nothing can stand in for it: a code, a number, a date, a member of a numbered group."""
        return self.part in (Part.CODE, Part.LABELLED, Part.NUMBER, Part.DATE) and not self.soft
