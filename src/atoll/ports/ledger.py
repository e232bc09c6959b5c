"""Who works on what: leases with fencing tokens, on the store's clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from atoll.domain.document import DocumentError, DocumentWarning, Stage
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.reading import HowRead


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's hold on one stage of one document. Every write of the stage proves it by ``token``.

    The rest is what stages need to know: where to go on, how often the stage was claimed and how often it brought a
    process down, and of the document its name, media type, labels and its knowledge base's language and entity types.
    ``artefacts`` are the keys of the outputs of the stages up to this one, ``returns`` says how often the document was
    sent back to an earlier stage. ``rereads`` is the reading that readers see, where this is a new one.
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
    artefacts: Mapping[Stage, str] = field(default_factory=dict)
    returns: int = 0
    rereads: DocumentUid | None = None


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a stage learned about its document; None leaves a fact as it is."""

    pages: int | None = None
    passages: int | None = None
    warnings: tuple[DocumentWarning, ...] | None = None
    how: HowRead | None = None


class Ledger(Protocol):
    """The truth about work; the broker is only a doorbell.

    ``beat``, ``advance``, ``finish``, ``send_back``, ``release``, ``relabelled`` and ``fail`` raise LeaseLost, and
    write nothing, when the claim's token no longer holds.
    """

    async def claim(
        self, document: DocumentUid, owner: str, lease_seconds: float, *, key: str | None = None
    ) -> Claim | None:
        """Take the document's first unfinished stage, or None when there is none or someone holds it.

        ``key`` is that of stage parse's output, noted when the ledger has none.
        """
        ...

    async def beat(self, claim: Claim, lease_seconds: float) -> None:
        """Renew the lease."""
        ...

    async def advance(self, claim: Claim, *, batch: int, done: int, total: int) -> None:
        """Record that the stage goes on at ``batch``, with ``done`` of ``total`` units behind it."""
        ...

    async def finish(
        self,
        claim: Claim,
        lease_seconds: float,
        *,
        units: int,
        facts: DocumentFacts | None = None,
        key: str | None = None,
    ) -> Claim | None:
        """Mark all ``units`` of the stage done and, in the same transaction, take the next stage, if there is one.

        ``key`` is that of the next stage's output, which is decided now; None for a stage that keeps none.
        """
        ...

    async def send_back(self, claim: Claim, lease_seconds: float, *, stage: Stage, key: str) -> Claim | None:
        """Let the document go on at ``stage`` (the claim's or an earlier one) from its beginning, and take that stage.

        Its output will have that key; keys of later stages are forgotten.
        """
        ...

    async def release(
        self, claim: Claim, *, delay_seconds: float = 0.0, error: str | None = None, failed: bool = False
    ) -> None:
        """Give the stage back: claimable again after ``delay_seconds``; ``failed`` counts one."""
        ...

    async def relabelled(self, claim: Claim, lease_seconds: float) -> Claim | None:
        """End stage relabel: the vector index has the labels of the claim.

        When the document has others by now the stage goes on with these, by the claim that is returned.
        """
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
        """Return documents with claimable work that were not rung for ``quiet_seconds``, marking them rung.

        Before that, documents of a knowledge base whose deletion broke off are hidden.
        """
        ...
