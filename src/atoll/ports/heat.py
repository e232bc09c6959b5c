"""Where on a page a question is answered."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.artefact import Artefact
from atoll.domain.page import HeatMap


class Heat(Protocol):
    """Looks at one page with a question; whoever calls has checked that the asker sees the document."""

    async def of_page(self, embedded: Artefact, page: int, question: str) -> HeatMap:
        """Return how warm each place of a page (from 1) is; ``embedded`` is the output of its document's stage embed.

        Raises:
            NotFound: the page has no vectors.
            NotAvailable: its vectors were made by another model than runs now.
            DependencyDown, ModelReplyInvalid: the page-image server is away.
        """
        ...
