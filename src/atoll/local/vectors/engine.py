"""What the vector server asks of an engine: shards that store points and answer searches.

Everything the server hands to an engine has been checked against the collection's configuration; an engine that
raises has a fault of its own. Calls are made from one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

PointId = int | str  #: an unsigned integer, or a UUID in its canonical spelling


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """A sparse vector: ``values[i]`` belongs to dimension ``indices[i]``."""

    indices: NDArray[np.uint32]
    values: NDArray[np.float32]


#: Dense (size,), multi-vector (rows, size), or sparse.
Vector = NDArray[np.float32] | Sparse


class Distance(StrEnum):
    """How two dense vectors are compared, by Qdrant's names."""

    COSINE = "Cosine"
    DOT = "Dot"
    EUCLID = "Euclid"
    MANHATTAN = "Manhattan"


class Datatype(StrEnum):
    """How components are stored."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    UINT8 = "uint8"


@dataclass(frozen=True, slots=True)
class Hnsw:
    """Graph index parameters, by Qdrant's names."""

    m: int = 16
    ef_construct: int = 100
    full_scan_threshold: int = 10_000
    payload_m: int | None = None


@dataclass(frozen=True, slots=True)
class DenseParams:
    """A named dense vector; ``multivector`` compares sets of rows by MaxSim."""

    size: int
    distance: Distance
    multivector: bool = False
    datatype: Datatype = Datatype.FLOAT32
    on_disk: bool | None = None
    hnsw: Hnsw | None = None


@dataclass(frozen=True, slots=True)
class SparseParams:
    """A named sparse vector; ``idf`` weighs query terms by their rarity in the corpus of the query."""

    idf: bool = False


@dataclass(frozen=True, slots=True)
class CollectionConfig:
    """The named vectors of a collection."""

    dense: Mapping[str, DenseParams]
    sparse: Mapping[str, SparseParams]
    hnsw: Hnsw


@dataclass(frozen=True, slots=True)
class FieldMatch:
    """A payload field holds one of ``values``; ``negated``: holds a value that is none of them."""

    key: str
    values: tuple[str, ...] | tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class FieldEmpty:
    """A payload field is absent, null or an empty list."""

    key: str


@dataclass(frozen=True, slots=True)
class HasId:
    """The point is one of ``ids``."""

    ids: frozenset[PointId]


@dataclass(frozen=True, slots=True)
class Filter:
    """All of ``must``, at least one of ``should`` where there are any, none of ``must_not``."""

    must: tuple[Condition, ...] = ()
    should: tuple[Condition, ...] = ()
    must_not: tuple[Condition, ...] = ()


Condition = FieldMatch | FieldEmpty | HasId | Filter


@dataclass(frozen=True, slots=True)
class SearchParams:
    """How a search is carried out. ``idf_corpus`` are the points that idf is counted over."""

    hnsw_ef: int | None = None
    exact: bool = False
    indexed_only: bool = False
    idf_corpus: Filter | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The nearest ``limit`` points to ``vector``, among those that ``prefetch`` found where there is any."""

    vector: Vector
    using: str
    limit: int
    where: Filter | None = None
    params: SearchParams | None = None
    score_threshold: float | None = None
    prefetch: tuple[Search, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which payload fields and vectors come back: all, none, or those named."""

    payload: bool | tuple[str, ...] = False
    vectors: bool | tuple[str, ...] = False


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A search with what comes back of its hits."""

    search: Search
    offset: int = 0
    selection: Selection = Selection()


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A point to be stored."""

    id: PointId
    vectors: Mapping[str, Vector]
    payload: Mapping[str, Any]


class Found(NamedTuple):
    """A stored point, ready for JSON. Score and version are those of a search."""

    id: int | UUID
    payload: Mapping[str, Any] | None
    vectors: Mapping[str, Any] | None
    score: float = 0.0
    version: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Upsert:
    """Store points, replacing those of the same id."""

    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class DeletePoints:
    """Remove points by id."""

    ids: tuple[PointId, ...]


@dataclass(frozen=True, slots=True)
class DeleteWhere:
    """Remove the points that a filter matches."""

    where: Filter


@dataclass(frozen=True, slots=True, eq=False)
class SetPayload:
    """Give the points that a filter matches these payload fields; other fields stay."""

    payload: Mapping[str, Any]
    where: Filter


@dataclass(frozen=True, slots=True)
class IndexKeyword:
    """Index a payload field of strings; ``tenant``: points of one value are kept and searched together."""

    key: str
    tenant: bool = False


#: One write. Applying a list of changes again, in order, to a copy taken before them gives the same points.
Change = Upsert | DeletePoints | DeleteWhere | SetPayload | IndexKeyword


@dataclass(frozen=True, slots=True)
class Figures:
    """Sizes of a shard; ``keywords`` maps an indexed payload field to (is tenant, points that have it)."""

    points: int
    indexed_vectors: int
    segments: int
    keywords: Mapping[str, tuple[bool, int]]


class Shard(Protocol):
    """One collection's points in one folder."""

    def apply(self, change: Change) -> None:
        """Carry out a write; once this returns it survives the death of the process."""
        ...

    def query(self, queries: Sequence[Query]) -> list[list[Found]]:
        """Answer searches, best first."""
        ...

    def count(self, where: Filter | None) -> int:
        """Return the exact number of points that the filter matches."""
        ...

    def scroll(
        self, where: Filter | None, offset: PointId | None, limit: int, selection: Selection
    ) -> tuple[list[Found], PointId | None]:
        """Return points in id order from ``offset`` on, and the id that the next page starts with."""
        ...

    def retrieve(self, ids: Sequence[PointId], selection: Selection) -> list[Found]:
        """Return those of ``ids`` that exist."""
        ...

    def figures(self) -> Figures:
        """Return the shard's sizes."""
        ...

    def flush(self) -> None:
        """Write everything to disk; afterwards the folder may be copied as long as nothing is written."""
        ...

    def close(self) -> None:
        """Flush and let go of the folder."""
        ...


class Engine(Protocol):
    """Opens shards."""

    def create(self, folder: Path, config: CollectionConfig) -> Shard:
        """Make an empty shard in a folder that does not exist yet."""
        ...

    def load(self, folder: Path, config: CollectionConfig) -> Shard:
        """Open an existing shard; only one process can."""
        ...

    def optimise(self, folder: Path) -> None:
        """Index and compact the shard in ``folder``. Blocks every thread of the process for seconds."""
        ...
