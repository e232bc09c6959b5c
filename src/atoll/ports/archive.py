"""Everything that the record store keeps, out of it and into an empty one: what backups are made of.

Contents of a visible document never change until it is deleted, so that a set of visible documents read at one
moment (``snapshot``) can be copied at leisure: whatever is still there afterwards is as it was at that moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.document import Document, Replaces
from atoll.domain.ids import BatchId, DocumentUid, KbUid, TenantId
from atoll.domain.principal import ApiKey, AuditEvent
from atoll.domain.tenant import Tenant
from atoll.ports.contents import ContentBatch


@dataclass(frozen=True, slots=True)
class KbRecord:
    """A knowledge base; ``passages`` are those of visible documents."""

    uid: KbUid
    tenant: TenantId
    name: str
    language: str
    revision: int
    passages: int
    settings: Mapping[str, Any]
    quota: Mapping[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Accounts:
    """What there is beside documents: tenants, keys without their secrets, knowledge bases that are not deleted.

    ``embedding`` names the model that stored vectors are of, where that was noted.
    """

    tenants: tuple[Tenant, ...]
    keys: tuple[ApiKey, ...]
    kbs: tuple[KbRecord, ...]
    embedding: str | None


@dataclass(frozen=True, slots=True)
class KbSnapshot:
    """A knowledge base at one revision and its documents in the order of acceptance, with whether they were visible."""

    kb: KbRecord
    documents: Mapping[DocumentUid, bool]


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """A document with what its readers are not told.

    ``batches`` are the uploads that it came in.
    """

    document: Document
    visible: bool
    replaces: Replaces | None
    created_by: str
    batches: tuple[BatchId, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EntityVectors:
    """Vectors of entities by key, (len(keys), dimensions), fp16."""

    keys: tuple[str, ...]
    vectors: NDArray[np.float16]


class Archive(Protocol):
    """Reads everything; what a caller wants in one piece it asks for in batches."""

    async def accounts(self) -> Accounts:
        """Return tenants, keys and knowledge bases."""
        ...

    async def snapshot(self, kb: KbUid) -> KbSnapshot | None:
        """Return a knowledge base and its documents of one moment, deleted ones left out; None when it is gone."""
        ...

    async def document(self, kb: KbUid, document: DocumentUid) -> DocumentRecord | None:
        """Return a document, or None when it is deleted."""
        ...

    async def contents(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> ContentBatch | None:
        """Return passages with an ordinal above ``after``, with what belongs to them; None when there are no more.

        The first batch (``after`` of -1) carries all chunks. Empty contents of a document that has passages mean that
        it is being purged.
        """
        ...

    async def entity_vectors(self, kb: KbUid, *, after: str | None, limit: int) -> EntityVectors:
        """Return the entities that have a vector, by key, from the one after ``after`` on; none at the end."""
        ...

    async def events(self, *, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """Return audit events of all tenants with an id above ``after``."""
        ...


class Restoration(Protocol):
    """Fills an empty store. Nobody sees any of it before ``end``, and ``begin`` removes what a broken one left."""

    async def begin(self, accounts: Accounts) -> tuple[tuple[KbUid, DocumentUid], ...]:
        """Make room and hidden knowledge bases; return the documents of a broken restoration, whose files may be left.

        What the first start made (a tenant, an empty knowledge base, a key) goes.

        Raises:
            Conflict: the store is in use: it has documents, or knowledge bases or keys beyond those of the first
                start.
        """
        ...

    async def end(self, accounts: Accounts) -> None:
        """Write the keys and let everybody see everything, in one transaction."""
        ...


class RestoredRecords(Protocol):
    """What is filled in between ``begin`` and ``end``, in this order for each document."""

    async def document(self, record: DocumentRecord) -> None:
        """Write a document. One that is on its way begins its journey anew."""
        ...

    async def contents(self, kb: KbUid, document: DocumentUid, batch: ContentBatch) -> None:
        """Write passages of a visible document and what belongs to them; entities are counted."""
        ...

    async def entity_vectors(self, kb: KbUid, vectors: EntityVectors) -> None:
        """Give vectors to those of the entities that two passages mention; after all contents."""
        ...

    async def events(self, events: Sequence[AuditEvent]) -> None:
        """Write audit events with their ids."""
        ...
