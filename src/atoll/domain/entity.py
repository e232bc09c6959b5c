"""Named things, where they are mentioned, and what a text states about two of them."""

from __future__ import annotations

from typing import NamedTuple

from atoll.domain.ids import EntityId, PassageId


class EntityName(NamedTuple):
    """An entity of one knowledge base: its id, and the normalised name that the id is derived from."""

    id: EntityId
    key: str


class Mention(NamedTuple):
    """A named thing in a passage, as it is written there.

    ``tf`` counts its occurrences in the passage and ``span`` is the first of them, in characters of the passage's
    text. A name that comes from a heading alone has the span (0, 0) and the type ``heading``.
    """

    passage: PassageId
    entity: EntityId
    key: str
    surface: str
    type: str
    tf: int
    span: tuple[int, int]


class Assertion(NamedTuple):
    """What a passage states about two entities that it mentions; ``ordinal`` counts within the passage."""

    passage: PassageId
    ordinal: int
    head: EntityId
    tail: EntityId
    keywords: tuple[str, ...]
    description: str
    weight: float
