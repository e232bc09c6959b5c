"""Which signals each mode of search uses."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from atoll.domain.evidence import Mode


class Retriever(StrEnum):
    """A source of ranked passages, or a step that ranks them anew.

    ``GRAPH`` walks on from what the lists found, ``AROUND`` starts in the graph itself.
    """

    DENSE = "dense"
    SPARSE = "sparse"
    PAGES = "pages"
    GRAPH = "graph"
    AROUND = "around"


_NAIVE = frozenset({Retriever.DENSE, Retriever.SPARSE})

#: `Mode.MIX` uses every retriever that there is; `Mode.VISUAL` ranks by pages alone, and needs the nearest passage for
#: one thing: to tell whether the documents answer at all.
RETRIEVERS: Mapping[Mode, frozenset[Retriever]] = {
    Mode.NAIVE: _NAIVE,
    Mode.MIX: _NAIVE | {Retriever.PAGES, Retriever.GRAPH},
    Mode.LOCAL: frozenset({Retriever.AROUND}),
    Mode.GLOBAL: frozenset({Retriever.AROUND}),
    Mode.HYBRID: frozenset({Retriever.AROUND}),
    Mode.VISUAL: frozenset({Retriever.DENSE, Retriever.PAGES}),
    Mode.BYPASS: frozenset(),
}
