"""Documents written into a record store by hand, past parser, extractor and embedder: contents are what a test says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atoll.domain.document import Document, NewDocument, Stage
from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import DocumentUid, KbUid, chunk_id, entity_id, new_uid, passage_id
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor
from atoll.ports.contents import ContentBatch, VectorsWanted
from atoll.ports.ledger import DocumentFacts
from tests.support.readers import reader_of

ACTOR = Actor(subject="author", request_id="-")
DIMENSIONS = 8


@dataclass(frozen=True)
class Line:
    """A passage: its text, the names it mentions (as ``key`` or ``key:TYPE``), and (head, tail, description)s."""

    text: str
    names: Sequence[str] = ()
    stated: Sequence[tuple[str, str, str]] = ()


def vector_of(text: str, dimensions: int = DIMENSIONS) -> np.ndarray:
    """A unit vector that depends on the text alone."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    row = np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
    return row / np.linalg.norm(row)


def contents(kb: KbUid, document: DocumentUid, lines: Sequence[Line], dimensions: int = DIMENSIONS) -> ContentBatch:
    """Return a document's only batch."""
    passages, mentions, assertions = [], [], []
    chunk = Chunk(id=chunk_id(document, 0), document=document, ordinal=0, char_start=0, char_end=1, headings=("Top",))
    for number, line in enumerate(lines):
        passage = Passage(
            id=passage_id(document, number), document=document, ordinal=number, chunk=chunk.id, page=1,
            boxes=(Box(1.0, 2.0, 3.0, 4.0),), char_start=number * 100, char_end=number * 100 + len(line.text),
            text=line.text, headings=("Top",),
        )  # fmt: skip
        passages.append(passage)
        for name in line.names:
            key, _, type_ = name.partition(":")
            mentions.append(
                Mention(
                    passage=passage.id,
                    entity=entity_id(kb, key),
                    key=key,
                    surface=key.title(),
                    type=type_ or "concept",
                    tf=1,
                    span=(0, len(key)),
                )
            )
        for ordinal, (head, tail, description) in enumerate(line.stated):
            assertions.append(
                Assertion(
                    passage=passage.id,
                    ordinal=ordinal,
                    head=entity_id(kb, head),
                    tail=entity_id(kb, tail),
                    keywords=("knows", "of"),
                    description=description,
                    weight=1.0 + ordinal,
                )
            )
    return ContentBatch(
        chunks=[chunk],
        passages=passages,
        vectors=np.array([vector_of(line.text, dimensions) for line in lines], np.float16).reshape(-1, dimensions),
        mentions=mentions,
        assertions=assertions,
        assertion_vectors=np.array([vector_of(each.description, dimensions) for each in assertions], np.float16)
        if assertions
        else None,
    )


async def write(
    store: Any,
    kb: KbUid,
    name: str,
    lines: Sequence[Line],
    *,
    labels: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    dimensions: int = DIMENSIONS,
    uid: str | None = None,
) -> Document:
    """Publish a document through the ports ``catalogue``, ``ledger`` and ``contents`` of ``store``."""
    new = NewDocument(
        uid=DocumentUid(uid or new_uid()), name=name, source=None, media_type="text/plain", bytes=1,
        sha256=hashlib.sha256(repr((name, lines)).encode()).hexdigest(), labels=tuple(labels), metadata=dict(metadata or {}),
    )  # fmt: skip
    (document,) = (await store.catalogue.accept(reader_of(kb), [new], replace=False, actor=ACTOR)).documents
    claim = await store.ledger.claim(document.uid, "author", 30)
    while claim.stage is not Stage.PUBLISH:
        if claim.stage is Stage.STORE:
            batch = contents(kb, document.uid, lines, dimensions)
            await store.contents.store_batch(claim, batch, next_batch=1, done=len(lines), total=len(lines))
        facts = DocumentFacts(pages=1, passages=len(lines))
        claim = await store.ledger.finish(claim, 30, units=len(lines), facts=facts)
    outcome = await store.contents.publish(claim, {})
    if isinstance(outcome, VectorsWanted):
        vectors = {each.id: vector_of(each.key, dimensions).astype(np.float16) for each in outcome.entities}
        await store.contents.publish(claim, vectors)
    return await store.catalogue.get(reader_of(kb), document.uid)
