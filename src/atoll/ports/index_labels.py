"""Labels in an index: every index whose points carry their document's labels follows when these change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid


class IndexLabels(Protocol):
    """What the indexes of passages, pages and assertions have in common."""

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """Give every point of the document these labels, durably; one without points is not an error.

        Raises:
            DependencyDown: the index is away.
        """
        ...
