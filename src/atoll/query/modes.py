"""Which signals each mode of search uses, and which modes this version offers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from atoll.domain.evidence import Mode
from atoll.errors import NotAvailable


class Retriever(StrEnum):
    """A source of ranked passages, or a step that ranks them anew.

    ``GRAPH`` walks on from what the lists found, ``AROUND`` starts in the graph itself.
    """

    DENSE = "dense"
    SPARSE = "sparse"
    GRAPH = "graph"
    AROUND = "around"


_NAIVE = frozenset({Retriever.DENSE, Retriever.SPARSE})

#: A mode that is not here is not available. `Mode.MIX` uses every retriever that there is.
RETRIEVERS: Mapping[Mode, frozenset[Retriever]] = {
    Mode.NAIVE: _NAIVE,
    Mode.MIX: _NAIVE | {Retriever.GRAPH},
    Mode.LOCAL: frozenset({Retriever.AROUND}),
    Mode.GLOBAL: frozenset({Retriever.AROUND}),
    Mode.HYBRID: frozenset({Retriever.AROUND}),
    Mode.BYPASS: frozenset(),
}


def retrievers(mode: Mode) -> frozenset[Retriever]:
    """Return what ``mode`` searches with.

    Raises:
        NotAvailable: the mode needs something that this version does not have yet.
    """
    if mode not in RETRIEVERS:
        raise NotAvailable(f"mode {mode} is not available yet; use {Mode.MIX} or {Mode.NAIVE}")
    return RETRIEVERS[mode]
