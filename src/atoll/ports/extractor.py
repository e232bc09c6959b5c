"""Finds named things in passages, and perhaps what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from atoll.domain.document import DocumentWarning
from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import KbUid
from atoll.domain.passage import Passage


@dataclass(frozen=True, slots=True)
class ExtractionScope:
    """Whose passages they are: the knowledge base, its language, and the entity types it asks for (empty: ours)."""

    kb: KbUid
    language: str
    entity_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found in a batch of passages, in the order of the passages."""

    mentions: tuple[Mention, ...]
    assertions: tuple[Assertion, ...] = ()
    warnings: tuple[DocumentWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Portions:
    """What one call should hold, so that work is kept in good time: whole chunks of together at most ``passages``.

    A chunk of more passages is a portion of its own. ``concurrent`` portions of a document may be in flight.
    """

    passages: int
    concurrent: int


class Extractor(Protocol):
    """An extractor of mentions and assertions. It never invents: every name occurs in its passage or headings."""

    @property
    def portions(self) -> Portions:
        """How work is cut for this extractor."""
        ...

    def fingerprint(self, scope: ExtractionScope) -> str:
        """Return what names this extractor's results in this scope: they are made again only when it changes."""
        ...

    async def extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        """Extract from a batch; the passages of a chunk come together and in order.

        Raises:
            DependencyDown: a model server is away or overloaded.
        """
        ...
