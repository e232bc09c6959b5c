"""The record store as one search may use it: in one knowledge base, for one reader, a bounded number of times."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader
from atoll.ports.graph import Annotations, Graph, GraphScope, Neighbourhood, Reach
from atoll.ports.passages import Passages, SearchScope

#: Round trips of one question.
MAX_READS = 6
#: Which entities are shared in its sight is one more question for a restricted reader.
READS_OF_A_RESTRICTED = 1
#: Times that a question is searched again because the ground moved under it.
MAX_RETRIES = 2
#: Round trips of a search once its scope is known: what is visible, and the texts.
_READS_OF_A_SEARCH = 2


class ReadBudget:
    """Counts round trips and retries of one question."""

    def __init__(self, passages: Passages, graph: Graph, reader: Reader, filters: Filters) -> None:
        self._passages = passages
        self._graph = graph
        self._reader = reader
        self._filters = filters
        self._retries_left = MAX_RETRIES
        self.left = MAX_READS + READS_OF_A_RESTRICTED * reader.is_restricted
        #: The reader that reads of the graph run as; set by the latest ``scope``.
        self.graph_scope = GraphScope(reader)

    async def scope(self) -> SearchScope:
        """Read revision and language and resolve the filters."""
        self._count()
        scope = await self._passages.scope(self._reader, self._filters)
        self.graph_scope = GraphScope(self._reader, scope.include)
        return scope

    async def visible(self, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """Return the revision and the names of those of ``documents`` that are visible in it."""
        self._count()
        return await self._passages.visible(self._reader, documents)

    async def hydrate(self, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Return the passages that are visible now, with their text."""
        if not passages:
            return {}
        self._count()
        return await self._passages.hydrate(self._reader, passages)

    async def neighbourhood(
        self,
        seeds: Sequence[PassageId],
        *,
        entities: Sequence[EntityId] = (),
        keys: Sequence[str] = (),
        reach: Reach,
    ) -> Neighbourhood:
        """Return entities and passages around passages and names, as far as they are visible now."""
        self._count()
        return await self._graph.neighbourhood(self.graph_scope, seeds, entities=entities, keys=keys, reach=reach)

    async def shared(self, entities: Sequence[EntityId]) -> frozenset[EntityId]:
        """Return those of ``entities`` that two passages in the reader's sight mention."""
        self._count()
        return await self._graph.shared(self._reader, entities)

    async def annotations(self, passages: Sequence[PassageId]) -> Annotations:
        """Return what was found in passages that are visible now."""
        self._count()
        return await self._graph.annotations(self.graph_scope, passages)

    async def stated(self, relations: Sequence[RelationId]) -> Annotations:
        """Return assertions that visible passages make."""
        self._count()
        return await self._graph.stated(self.graph_scope, relations)

    def take_retry(self) -> bool:
        """Take one of the retries; False when none is left or too few round trips to finish it, scope included."""
        if self._retries_left == 0 or self.left < _READS_OF_A_SEARCH + 1:
            return False
        self._retries_left -= 1
        return True

    def _count(self) -> None:
        assert self.left > 0, "a question makes no more than MAX_READS round trips"
        self.left -= 1
