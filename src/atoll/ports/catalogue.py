"""The documents of a knowledge base, as the gateway sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from atoll.domain.document import Accepted, Amendment, Document, DocumentPage, NewDocument, Receipt, Stage, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader


class Catalogue(Protocol):
    """Accepting and listing. ``reader`` sees a document when it holds all of its labels."""

    async def accept(
        self, reader: Reader, documents: Sequence[NewDocument], *, replace: bool, actor: Actor
    ) -> Accepted:
        """Write documents, their ledger rows and the audit event in one transaction.

        Bytes that are there already at the same source and name, in a document that the reader sees, yield that
        document (queued again if it had failed or was cancelled) and an entry in ``duplicates``; the new document's
        folder is then not used. Labels, metadata and ``replace`` of the upload hold for that document.

        Raises:
            NotFound: the knowledge base is gone.
            Conflict: such a document has labels that the upload would take away.
            QuotaExceeded: a quota of the knowledge base or the number of waiting documents is exhausted.
        """
        ...

    async def get(self, reader: Reader, document: DocumentUid) -> Document:
        """Return a document with its stages and warnings. Raises NotFound."""
        ...

    async def page(
        self,
        reader: Reader,
        *,
        status: Status | None,
        name: str | None,
        limit: int,
        before: int | None,
        older: bool = False,
        warning: str | None = None,
        source: str | None = None,
        label: str | None = None,
    ) -> DocumentPage:
        """List documents, newest first, from place ``before`` on; ``name`` is a glob pattern.

        ``source`` is a folder, whose own documents count and those below it; ``label`` is one of the document's.
        ``older`` leaves those that an older pipeline read, ``warning`` those that carry a warning of that type.
        """
        ...

    async def batch(self, reader: Reader, batch: str) -> tuple[Document, ...]:
        """Return the documents of one upload. Raises NotFound."""
        ...

    async def census(self) -> Mapping[Status, int]:
        """Return how many documents of the installation have each status: for its operator, never for a tenant."""
        ...

    async def older(self) -> int:
        """Return how many documents of the installation an older pipeline read: for its operator as well."""
        ...


class Lifecycle(Protocol):
    """What a person does to one document. All raise NotFound for what they may not see."""

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document, take its counters off and queue its purge, in one transaction, in any state."""
        ...

    async def amend(self, reader: Reader, document: DocumentUid, amendment: Amendment, actor: Actor) -> Document:
        """Give a document other labels, other metadata or another place, in one transaction, in any state.

        Labels hold from the answer on. The vector index follows in stage relabel, which the caller should ring for.

        Raises:
            Forbidden: a label that the reader does not hold.
            Conflict: a document with the same bytes, which the reader sees, is at that place already.
        """
        ...

    async def retry(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Queue a failed, quarantined or cancelled document again, or the new reading of one that is read again.

        Raises:
            Conflict: it is in another state.
        """
        ...

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a queued or processing document, or give up the new reading of one that is read again.

        Raises:
            Conflict: it is in another state.
        """
        ...

    async def reprocess(self, reader: Reader, document: DocumentUid, stage: Stage, actor: Actor) -> Document:
        """Let a ready document be read again from a stage on; readers see the old reading until the new one is there.

        The new one uses the outputs of earlier stages as far as today's pipeline would make the same. When it is
        published it takes the place of the old one, with its id; while it is not, deleting the document ends it.

        Raises:
            Conflict: the document is not ready, or is being read again.
            BadInput: nothing is read again from that stage on (see ``READ_AGAIN_FROM``).
        """
        ...
