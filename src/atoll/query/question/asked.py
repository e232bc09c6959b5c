"""A question as it is understood: what it names, what it asks for, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atoll.query.question import kinds
from atoll.query.question.concept import Concept
from atoll.query.question.concepts import concepts
from atoll.query.question.followup import carried
from atoll.query.question.history import Turn
from atoll.query.question.kinds import Wanted
from atoll.query.text.terms import Terms


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what it takes from its conversation; ``search`` is the text that is searched for.

    ``typed`` are the places of the parts that only say of what type the answer is ("how heavy").
    """

    text: str
    search: str
    parts: tuple[Concept, ...]
    wanted: Wanted
    wants_list: bool
    wants_count: bool
    wants_documents: bool
    negated: bool
    compares: bool
    defines: bool
    typed: tuple[int, ...]

    @classmethod
    def of(cls, question: str, terms: Terms, history: Sequence[Turn] = ()) -> Asked:
        """Return what is understood of ``question``."""
        own = concepts(question, terms)
        context = carried(question, own, history, terms)
        like = question if context is None else context.asks_like
        parts = own if context is None else context.parts
        wanted = kinds.wanted(like)
        return cls(
            text=question,
            search=question if context is None else context.search,
            parts=parts,
            wanted=wanted,
            wants_list=kinds.is_list(like),
            wants_count=kinds.is_count(like),
            wants_documents=kinds.is_about_documents(question),
            negated=kinds.is_negated(question),
            compares=kinds.compares(question),
            defines=kinds.defines(like),
            typed=tuple(at for at, part in enumerate(parts) if kinds.asks_type(part.text, wanted)),
        )
