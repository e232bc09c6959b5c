"""Documents put into a record store by hand, past parser and models: what they say and mention is given."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.document import Document, NewDocument, Stage
from atoll.domain.entity import Assertion, EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, chunk_id, entity_id, new_uid, passage_id
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.names import entity_key
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor
from atoll.ports.catalogue import Catalogue
from atoll.ports.contents import ContentBatch, Contents, Published, VectorsWanted
from atoll.ports.ledger import Claim, DocumentFacts, Ledger
from tests.support.readers import reader_of

ACTOR = Actor(subject="placer", request_id="-")
LEASE_SECONDS = 60.0

#: Returns a unit row for each name.
EmbedNames = Callable[[Sequence[str]], Awaitable[NDArray[np.float32]]]


class Writable(Protocol):
    """The ports of a record store that documents are written through."""

    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def contents(self) -> Contents: ...


@dataclass(frozen=True)
class Said:
    """A passage: its text, its unit vector, what it mentions (name -> occurrences), and (head, relation, tail)s."""

    text: str
    vector: NDArray[np.float32]
    names: Mapping[str, int] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    states: tuple[tuple[str, str, str], ...] = ()


async def place(
    store: Writable,
    kb: KnowledgeBase,
    name: str,
    said: Sequence[Said],
    embed: EmbedNames,
    *,
    labels: Sequence[str] = (),
    replace: bool = False,
    publish: bool = True,
) -> Document:
    """Take a document through its journey; without ``publish`` it stops hidden, right before."""
    document, claim = await _accepted(store, kb, name, said, labels=labels, replace=replace)
    batch = content(kb, document.uid, said)
    while claim is not None and claim.stage is not Stage.PUBLISH:
        if claim.stage is Stage.STORE:
            await store.contents.store_batch(claim, batch, next_batch=1, done=len(said), total=len(said))
        facts = DocumentFacts(pages=1, passages=len(said)) if claim.stage is Stage.CHUNK else None
        claim = await store.ledger.finish(claim, LEASE_SECONDS, units=len(said), facts=facts)
    assert claim is not None
    if publish:
        await published(store, claim, embed)
    else:
        await store.ledger.release(claim)
    return document


async def published(store: Writable, claim: Claim, embed: EmbedNames) -> Published:
    """Publish with the vectors that the record store asks for."""
    vectors: dict[EntityId, NDArray[np.float16]] = {}
    outcome = await store.contents.publish(claim, vectors)
    while isinstance(outcome, VectorsWanted):
        wanted: tuple[EntityName, ...] = outcome.entities
        rows = await embed([each.key for each in wanted])
        vectors |= {each.id: row.astype(np.float16) for each, row in zip(wanted, rows, strict=True)}
        outcome = await store.contents.publish(claim, vectors)
    return outcome


def content(kb: KnowledgeBase, uid: DocumentUid, said: Sequence[Said]) -> ContentBatch:
    """Return a document of one chunk as the stage store writes it."""
    chunk = Chunk(chunk_id(uid, 0), uid, 0, 0, sum(len(each.text) for each in said), ())
    passages, mentions, assertions = [], [], []
    for at, each in enumerate(said):
        passage = Passage(
            passage_id(uid, at), uid, at, chunk.id, 1, (), 0, len(each.text), each.text, tuple(each.headings)
        )
        passages.append(passage)
        mentions += [_mention(kb, passage, name, tf) for name, tf in each.names.items()]
        assertions += [
            Assertion(passage.id, place, _entity(kb, head), _entity(kb, tail), (relation,), f"{head} {tail}.", 1.0)
            for place, (head, relation, tail) in enumerate(each.states)
        ]
    vectors = np.stack([each.vector for each in said]).astype(np.float16)
    stated = np.zeros((len(assertions), vectors.shape[1]), np.float16) if assertions else None
    return ContentBatch([chunk], passages, vectors, mentions, assertions, stated)


def key_of(name: str) -> str:
    """Return a name's key, which must have one."""
    key = entity_key(name)
    assert key is not None
    return key


def _entity(kb: KnowledgeBase, name: str) -> EntityId:
    return entity_id(kb.uid, key_of(name))


def _mention(kb: KnowledgeBase, passage: Passage, name: str, tf: int) -> Mention:
    at = passage.text.find(name)
    span, kind = ((at, at + len(name)), "thing") if at >= 0 else ((0, 0), "heading")
    return Mention(passage.id, _entity(kb, name), key_of(name), name, kind, tf, span)


async def _accepted(
    store: Writable, kb: KnowledgeBase, name: str, said: Sequence[Said], *, labels: Sequence[str], replace: bool
) -> tuple[Document, Claim | None]:
    digest = hashlib.sha256("\n".join([name, *(each.text for each in said)]).encode()).hexdigest()
    uid = DocumentUid(new_uid())
    wanted = NewDocument(uid, name, None, "text/plain", 10, digest, tuple(labels), {})
    accepted = await store.catalogue.accept(reader_of(kb), [wanted], replace=replace, actor=ACTOR)
    return accepted.documents[0], await store.ledger.claim(uid, "placer", LEASE_SECONDS)
