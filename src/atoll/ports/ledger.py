"""Who works on what: leases with fencing tokens, on the store's clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from atoll.domain.document import DocumentError, DocumentWarning, Stage
from atoll.domain.ids import DocumentUid, KbUid


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on one stage of one document. Every write of the stage proves it by ``token``.

    The rest is what stages need to know: where to go on, how often the stage was claimed and how often it brought a
    process down, and of the document its name, media type, labels and its knowledge base's language and entity types.
    """

    document: DocumentUid
    kb: KbUid
    stage: Stage
    batch: int
    token: int
    owner: str
    attempts: int
    failures: int
    name: str
    media_type: str
    labels: tuple[str, ...]
    language: str
    entity_types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a stage learned about its document; None leaves a fact as it is."""

    pages: int | None = None
    passages: int | None = None
    warnings: tuple[DocumentWarning, ...] | None = None


class Ledger(Protocol):
    """The truth about work; the broker is only a doorbell.

    ``beat``, ``advance``, ``finish``, ``release`` and ``fail`` raise LeaseLost, and write nothing, when the
    claim's token no longer holds.
    """

    async def claim(self, document: DocumentUid, owner: str, lease_seconds: float) -> Claim | None:
        """Take the document's first unfinished stage, or None when there is none or someone holds it."""
        ...

    async def beat(self, claim: Claim, lease_seconds: float) -> None:
        """Renew the lease."""
        ...

    async def advance(self, claim: Claim, *, batch: int, done: int, total: int) -> None:
        """Record that the stage goes on at ``batch``, with ``done`` of ``total`` units behind it."""
        ...

    async def finish(
        self, claim: Claim, lease_seconds: float, *, units: int, facts: DocumentFacts | None = None
    ) -> Claim | None:
        """Mark all ``units`` of the stage done and, in the same transaction, take the next stage, if there is one."""
        ...

    async def release(
        self, claim: Claim, *, delay_seconds: float = 0.0, error: str | None = None, failed: bool = False
    ) -> None:
        """Give the stage back: claimable again after ``delay_seconds``; ``failed`` counts one."""
        ...

    async def fail(self, claim: Claim, error: DocumentError, *, quarantine: bool = False) -> None:
        """End the document's journey with a named error."""
        ...

    async def exists(self, document: DocumentUid) -> bool:
        """Return whether the document is there; a deleted one is not, from its deletion on."""
        ...


class Reconciliation(Protocol):
    """Finding work that nobody was told of."""

    async def lead(self, owner: str, lease_seconds: float) -> bool:
        """Take or renew the one reconciler lease; False while someone else holds it."""
        ...

    async def overdue(self, limit: int, *, quiet_seconds: float) -> list[DocumentUid]:
        """Return documents with claimable work that were not rung for ``quiet_seconds``, marking them rung."""
        ...
