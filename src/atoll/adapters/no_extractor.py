"""The extractor of an installation without a graph."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.passage import Passage
from atoll.ports.extractor import Extraction, ExtractionScope, Portions


class NoExtractor:
    """Implements ``Extractor``: finds nothing."""

    @property
    def portions(self) -> Portions:
        """See ``atoll.ports.extractor.Extractor``."""
        return Portions(passages=256, concurrent=1)

    def fingerprint(self, scope: ExtractionScope) -> str:
        """See ``atoll.ports.extractor.Extractor``."""
        del scope
        return "none"

    async def extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        """See ``atoll.ports.extractor.Extractor``."""
        del passages, scope
        return Extraction(mentions=())

    async def aclose(self) -> None:
        """Nothing is open."""
