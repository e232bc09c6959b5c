"""Points and searches of the vector index. Vectors and scores only: no text ever enters the index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, RelationId
from atoll.domain.reader import Reader


@dataclass(frozen=True, slots=True, eq=False)
class SparseVector:
    """Term weights: ``values[i]`` belongs to dimension ``indices[i]``; no index occurs twice."""

    indices: NDArray[np.uint32]
    values: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class PassagePoint:
    """One passage in the index. ``dense`` is (dimensions,); ``sparse`` may be empty."""

    id: PassageId
    kb: KbUid
    document_uid: DocumentUid
    labels: tuple[str, ...]
    dense: NDArray[np.float32]
    sparse: SparseVector


@dataclass(frozen=True, slots=True, eq=False)
class VectorSearch:
    """The ``limit`` points that ``reader`` sees and that are nearest to a dense or lexical query.

    ``include_documents`` None means every document; an empty tuple means none.
    """

    reader: Reader
    query: NDArray[np.float32] | SparseVector
    limit: int
    include_documents: tuple[DocumentUid, ...] | None = None
    exclude_documents: tuple[DocumentUid, ...] = ()


class Hit(NamedTuple):
    """A point that answers a search. ``score`` is rounded to 1e-5: below that, float32 sums depend on their order.

    A named tuple, as is whatever a search makes hundreds of: it is built in a third of a frozen dataclass's time.
    """

    id: PassageId
    document_uid: DocumentUid
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class EntityPoint:
    """An entity that at least two visible passages mention. ``dense`` is (dimensions,), the vector of its key."""

    id: EntityId
    kb: KbUid
    dense: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class RelationPoint:
    """One assertion of a document. ``dense`` is (dimensions,)."""

    id: RelationId
    kb: KbUid
    document_uid: DocumentUid
    labels: tuple[str, ...]
    dense: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EntityHit:
    """An entity near a question; ``score`` as in `Hit`."""

    id: EntityId
    score: float


@dataclass(frozen=True, slots=True)
class RelationHit:
    """An assertion near a question; ``score`` as in `Hit`."""

    id: RelationId
    score: float
