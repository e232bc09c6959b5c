"""Identities: random uids for knowledge bases and documents, derived ids for everything inside a document.

A derived id is a hash of the document, the stage and the ordinal, so that every step can run twice: the second
run writes the same rows and points again.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from typing import NewType

TenantId = NewType("TenantId", str)
KbUid = NewType("KbUid", str)  # 32 hex characters, random
#: 32 random hex characters; of a later reading of a document those of the first, a dot and 16 more.
DocumentUid = NewType("DocumentUid", str)
BatchId = NewType("BatchId", str)
KeyId = NewType("KeyId", str)
#: Who acts: "key:<id>" or "user:<name>", and for what Atoll does by itself "system", "worker <name>" and the like.
Subject = NewType("Subject", str)
ChunkId = NewType("ChunkId", str)  # UUID text, derived
PassageId = NewType("PassageId", str)  # UUID text, derived; also the vector point's id
PageId = NewType("PageId", str)  # UUID text, derived; the page point's id
EntityId = NewType("EntityId", str)  # UUID text, derived from knowledge base and key; also the vector point's id
RelationId = NewType("RelationId", str)  # UUID text, derived from passage and ordinal; also the vector point's id


def new_uid() -> str:
    """Return 128 random bits as 32 hex characters."""
    return secrets.token_hex(16)


def new_token() -> int:
    """Return what the tokens of a stage begin with whose row is removed when it is done and may be made again.

    Claims count up from it: among 2**52 numbers two rounds never meet, as they would within a millisecond of the clock.
    """
    return secrets.randbits(52)


def reading_uid(document: DocumentUid) -> DocumentUid:
    """Return a new uid for another reading of a document; none is ever given twice."""
    return DocumentUid(f"{document_id(document)}.{secrets.token_hex(8)}")


def document_id(uid: DocumentUid) -> DocumentUid:
    """Return the id that readers know a document by: the uid of its first reading, given that of any."""
    return DocumentUid(uid.partition(".")[0])


def _derive(*parts: str) -> str:
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest))


def chunk_id(document: DocumentUid, ordinal: int) -> ChunkId:
    """Return the id of a document's ``ordinal``-th chunk."""
    return ChunkId(_derive(document, "chunk", str(ordinal)))


def passage_id(document: DocumentUid, ordinal: int) -> PassageId:
    """Return the id of a document's ``ordinal``-th passage."""
    return PassageId(_derive(document, "passage", str(ordinal)))


def page_id(document: DocumentUid, number: int) -> PageId:
    """Return the id of a document's page, which counts from 1."""
    return PageId(_derive(document, "page", str(number)))


def entity_id(kb: KbUid, key: str) -> EntityId:
    """Return the id of the entity whose normalised name is ``key``; it never spans knowledge bases."""
    return EntityId(_derive(kb, "entity", key))


def relation_id(passage: PassageId, ordinal: int) -> RelationId:
    """Return the id of a passage's ``ordinal``-th assertion."""
    return RelationId(_derive(passage, "relation", str(ordinal)))
