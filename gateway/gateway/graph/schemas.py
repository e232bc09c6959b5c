"""The graph on the wire."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from atoll.domain.entity import Assertion
from atoll.domain.ids import document_id
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader
from atoll.ports.atlas import CoOccurrence, EntityCard, EntityDetail, EntityList, GraphCensus
from atoll.query.neighbourhood import Neighbourhood
from gateway.wire import Revision

MAX_LABELS = 500


class EntityOut(BaseModel):
    """An entity: its normalised name, the type of most of its mentions, and how many passages mention it."""

    id: str
    name: str
    type: str
    passages: int

    @classmethod
    def of(cls, card: EntityCard) -> Self:
        """Return the wire form."""
        return cls(id=card.id, name=card.key, type=card.type, passages=card.passages)


class EntitiesOut(BaseModel):
    """Entities, those of most passages first."""

    entities: list[EntityOut]
    truncated: bool = Field(description="There are more.")

    @classmethod
    def of(cls, found: EntityList) -> Self:
        """Return the wire form."""
        return cls(entities=[EntityOut.of(card) for card in found.entities], truncated=found.truncated)


class CountOut(BaseModel):
    """A spelling or a type, and how many passages have it."""

    value: str
    passages: int


class MentioningOut(BaseModel):
    """A document that mentions an entity, and in how many passages."""

    id: str
    name: str
    passages: int


class SampleOut(BaseModel):
    """A passage that mentions an entity."""

    id: str
    document_id: str
    document: str
    page: int
    text: str

    @classmethod
    def of(cls, passage: Passage, document: str) -> Self:
        """Return the wire form."""
        return cls(
            id=passage.id,
            document_id=document_id(passage.document),
            document=document,
            page=passage.page,
            text=passage.text,
        )


class EntityDetailOut(EntityOut):
    """Everything about one entity; lists hold the most frequent."""

    types: list[CountOut]
    surfaces: list[CountOut]
    document_count: int
    documents: list[MentioningOut]
    sample: list[SampleOut]
    truncated: bool = Field(description="A list was cut, or there are more passages than the sample.")

    @classmethod
    def detailed(cls, detail: EntityDetail) -> Self:
        """Return the wire form."""
        return cls(
            **EntityOut.of(detail.card).model_dump(),
            types=[CountOut(value=value, passages=count) for value, count in detail.types.items()],
            surfaces=[CountOut(value=value, passages=count) for value, count in detail.surfaces.items()],
            document_count=detail.document_count,
            documents=[
                MentioningOut(id=document_id(uid), name=detail.names[uid], passages=count)
                for uid, count in detail.documents.items()
            ],
            sample=[SampleOut.of(passage, detail.names[passage.document]) for passage in detail.sample],
            truncated=detail.truncated,
        )


class NeighbourOut(EntityOut):
    """An entity near another one, and how many steps away."""

    hops: int


class LinkOut(BaseModel):
    """Two entities that passages mention together; the order of the two means nothing."""

    head: str
    tail: str
    passages: int

    @classmethod
    def of(cls, link: CoOccurrence) -> Self:
        """Return the wire form."""
        return cls(head=link.head, tail=link.tail, passages=link.passages)


class RelationOut(BaseModel):
    """What a passage states about two entities."""

    head: str
    tail: str
    keywords: list[str]
    description: str
    weight: float
    passage_id: str

    @classmethod
    def of(cls, assertion: Assertion) -> Self:
        """Return the wire form."""
        return cls(
            head=assertion.head,
            tail=assertion.tail,
            keywords=list(assertion.keywords),
            description=assertion.description,
            weight=assertion.weight,
            passage_id=assertion.passage,
        )


class NeighbourhoodOut(BaseModel):
    """An entity, the entities around it, and what joins them, strongest first."""

    entity: EntityOut
    entities: list[NeighbourOut]
    links: list[LinkOut]
    relations: list[RelationOut]
    truncated: bool = Field(description="Something was left out; a higher limit may show it.")

    @classmethod
    def of(cls, found: Neighbourhood) -> Self:
        """Return the wire form."""
        return cls(
            entity=EntityOut.of(found.centre),
            entities=[NeighbourOut(**EntityOut.of(card).model_dump(), hops=hops) for card, hops in found.around],
            links=[LinkOut.of(link) for link in found.links.together],
            relations=[RelationOut.of(assertion) for assertion in found.links.assertions],
            truncated=found.truncated,
        )


class LabelOut(BaseModel):
    """A type of entities, and how many there are."""

    type: str
    entities: int


class LabelsOut(BaseModel):
    """The types of entities, the most frequent first."""

    labels: list[LabelOut]
    truncated: bool

    @classmethod
    def of(cls, census: GraphCensus) -> Self:
        """Return the wire form."""
        labels = [LabelOut(type=type_, entities=count) for type_, count in census.types.items()]
        return cls(labels=labels[:MAX_LABELS], truncated=len(labels) > MAX_LABELS)


class GraphStatsOut(BaseModel):
    """How much the caller sees of the graph."""

    revision: Revision
    documents: int
    passages: int
    entities: int
    mentions: int
    relations: int

    @classmethod
    def of(cls, census: GraphCensus, reader: Reader) -> Self:
        """Return the wire form, as ``reader`` is told it."""
        return cls(
            revision=None if reader.is_restricted else census.revision,
            documents=census.documents,
            passages=census.passages,
            entities=census.entities,
            mentions=census.mentions,
            relations=census.assertions,
        )
