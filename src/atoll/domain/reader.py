"""Who reads, and what may be shown to them: the one value that every read of a knowledge base is given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from atoll.domain.ids import KbUid, TenantId

#: Labels that are held; None means all.
Labels = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Reader:
    """One knowledge base of one tenant as it is shown to the holder of ``labels`` (None: all).

    A document is there for this reader when all its labels are held; one without labels is there for everybody.
    """

    tenant: TenantId
    kb: KbUid
    labels: Labels = None

    @property
    def is_restricted(self) -> bool:
        """Whether there may be documents that are not there for this reader."""
        return self.labels is not None

    def sees(self, labels: Collection[str]) -> bool:
        """Whether a document with these labels is there for this reader."""
        return self.labels is None or self.labels.issuperset(labels)
