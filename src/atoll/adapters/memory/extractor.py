"""An extractor without a model: names are what is written with capitals, and neighbours have to do with each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from atoll.adapters.mentions import Occurrence, mentions
from atoll.domain.entity import Assertion, Mention
from atoll.domain.passage import Passage
from atoll.ports.extractor import Extraction, ExtractionScope, Portions

_NAME = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)*\b")


class MemoryExtractor:
    """Implements ``Extractor``; ``asked`` holds the passages of every call."""

    def __init__(self, *, portions: Portions | None = None, fingerprint: str = "capitals") -> None:
        self._portions = portions or Portions(passages=256, concurrent=1)
        self._fingerprint = fingerprint
        self.asked: list[tuple[Passage, ...]] = []

    @property
    def portions(self) -> Portions:
        """See ``atoll.ports.extractor.Extractor``."""
        return self._portions

    def fingerprint(self, scope: ExtractionScope) -> str:
        """See ``atoll.ports.extractor.Extractor``."""
        return f"{self._fingerprint} {','.join(scope.entity_types)}"

    async def extract(self, passages: Sequence[Passage], scope: ExtractionScope) -> Extraction:
        """See ``atoll.ports.extractor.Extractor``."""
        self.asked.append(tuple(passages))
        found: list[Mention] = []
        assertions: list[Assertion] = []
        for passage in passages:
            names = [Occurrence(*match.span(), "name") for match in _NAME.finditer(passage.text)]
            here = mentions(passage, scope.kb, names).mentions
            found += here
            assertions += [
                Assertion(passage.id, ordinal, head.entity, tail.entity, ("near",), f"{head.surface} is near", 1.0)
                for ordinal, (head, tail) in enumerate(pairwise(here))
            ]
        return Extraction(tuple(found), tuple(assertions))
