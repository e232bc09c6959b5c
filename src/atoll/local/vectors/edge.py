"""The engine of the vector server: qdrant-edge, Qdrant's own engine inside the process."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as qe

from atoll.local.vectors.engine import (
    Change,
    CollectionConfig,
    Condition,
    Datatype,
    DeletePoints,
    DeleteWhere,
    DenseParams,
    Distance,
    FieldEmpty,
    FieldMatch,
    Figures,
    Filter,
    Found,
    HasId,
    Hnsw,
    IndexKeyword,
    Point,
    PointId,
    Query,
    Search,
    SearchParams,
    Selection,
    SetPayload,
    Shard,
    Sparse,
    SparseParams,
    Upsert,
    Vector,
)

_DISTANCES = {
    Distance.COSINE: qe.Distance.Cosine,
    Distance.DOT: qe.Distance.Dot,
    Distance.EUCLID: qe.Distance.Euclid,
    Distance.MANHATTAN: qe.Distance.Manhattan,
}
_DATATYPES = {
    Datatype.FLOAT32: qe.VectorStorageDatatype.Float32,
    Datatype.FLOAT16: qe.VectorStorageDatatype.Float16,
    Datatype.UINT8: qe.VectorStorageDatatype.Uint8,
}

#: Threads that share the segments of one search. Calls come one at a time, so they could use more cores; but handing a
#: segment to a sleeping thread costs more than searching it: one thread takes a third less time, wall and processor.
_SEARCH_THREADS = 1


class EdgeEngine:
    """Opens qdrant-edge shards."""

    def create(self, folder: Path, config: CollectionConfig) -> Shard:
        """Make an empty shard."""
        return EdgeShard(qe.EdgeShard.create(str(folder), _config(config)))

    def load(self, folder: Path, config: CollectionConfig) -> Shard:
        """Open a shard, replaying its write-ahead log."""
        return EdgeShard(qe.EdgeShard.load(str(folder), _config(config)))

    def optimise(self, folder: Path) -> None:
        """Merge segments and build graphs, then leave everything on disk."""
        shard = qe.EdgeShard.load(str(folder))
        shard.optimize()
        shard.flush()
        shard.close()


class EdgeShard:
    """One open qdrant-edge shard. Each call holds the interpreter lock until it returns."""

    def __init__(self, shard: Any) -> None:
        self._shard = shard

    def apply(self, change: Change) -> None:
        """Carry out a write; the engine appends it to its write-ahead log first."""
        self._shard.update(_operation(change))

    def query(self, queries: Sequence[Query]) -> list[list[Found]]:
        """Answer searches in one planned batch."""
        rows = self._shard.query_batch(qe.QueryBatchRequest([_query(query) for query in queries]))
        return [[_found(point, point.score, point.version) for point in points] for points in rows]

    def count(self, where: Filter | None) -> int:
        """Count exactly."""
        return int(self._shard.count(qe.CountRequest(exact=True, filter=_optional_filter(where))))

    def scroll(
        self, where: Filter | None, offset: PointId | None, limit: int, selection: Selection
    ) -> tuple[list[Found], PointId | None]:
        """Page through points in id order."""
        records, following = self._shard.scroll(
            qe.ScrollRequest(
                offset=offset,
                limit=limit,
                filter=_optional_filter(where),
                with_payload=_selected(selection.payload),
                with_vector=_selected(selection.vectors),
            )
        )
        return [_found(record) for record in records], None if following is None else _point_id(following)

    def retrieve(self, ids: Sequence[PointId], selection: Selection) -> list[Found]:
        """Return the points that exist."""
        records = self._shard.retrieve(list(ids), _selected(selection.payload), _selected(selection.vectors))
        return [_found(record) for record in records]

    def figures(self) -> Figures:
        """Return the shard's sizes."""
        sizes = self._shard.info()
        return Figures(
            points=sizes.points_count,
            indexed_vectors=sizes.indexed_vectors_count,
            segments=sizes.segments_count,
            keywords={
                key: (bool(index.params and index.params.is_tenant), index.points)
                for key, index in sizes.payload_schema.items()
            },
        )

    def flush(self) -> None:
        """Write everything to disk."""
        self._shard.flush()

    def close(self) -> None:
        """Flush and let go of the folder."""
        self._shard.flush()
        self._shard.close()


def _config(config: CollectionConfig) -> Any:
    return qe.EdgeConfig(
        vectors={name: _dense(params) for name, params in config.dense.items()},
        sparse_vectors={name: _sparse(params) for name, params in config.sparse.items()},
        hnsw_config=_hnsw(config.hnsw),
        max_search_threads=_SEARCH_THREADS,
    )


def _dense(params: DenseParams) -> Any:
    comparator = qe.MultiVectorConfig(qe.MultiVectorComparator.MaxSim) if params.multivector else None
    return qe.EdgeVectorParams(
        size=params.size,
        distance=_DISTANCES[params.distance],
        # Its files are preallocated, 32 MiB a vector. Unless told otherwise the engine reads them whole at every start,
        # and on a file system in memory what was read takes room. Mapped, they are read where they are asked for.
        on_disk=True if params.on_disk is None else params.on_disk,
        multivector_config=comparator,
        datatype=_DATATYPES[params.datatype],
        hnsw_config=None if params.hnsw is None else _hnsw(params.hnsw),
    )


def _sparse(params: SparseParams) -> Any:
    return qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf if params.idf else None)


def _hnsw(hnsw: Hnsw) -> Any:
    return qe.HnswIndexConfig(
        m=hnsw.m,
        ef_construct=hnsw.ef_construct,
        full_scan_threshold=hnsw.full_scan_threshold,
        payload_m=hnsw.payload_m,
    )


def _operation(change: Change) -> Any:
    match change:
        case Upsert(points):
            return qe.UpdateOperation.upsert_points([_point(point) for point in points])
        case DeletePoints(ids):
            return qe.UpdateOperation.delete_points(list(ids))
        case DeleteWhere(where):
            return qe.UpdateOperation.delete_points_by_filter(_filter(where))
        case SetPayload(payload, where):
            return qe.UpdateOperation.set_payload_by_filter(_filter(where), dict(payload))
        case IndexKeyword(key, tenant):
            return qe.UpdateOperation.create_field_index(key, qe.KeywordIndexParams(is_tenant=tenant))


def _point(point: Point) -> Any:
    return qe.Point(point.id, {name: _vector(vector) for name, vector in point.vectors.items()}, dict(point.payload))


def _vector(vector: Vector) -> Any:
    if isinstance(vector, Sparse):
        return qe.SparseVector(vector.indices.tolist(), vector.values.tolist())
    return vector.tolist() if vector.ndim > 1 else vector


def _query(query: Query) -> Any:
    search = query.search
    return qe.QueryRequest(
        limit=search.limit,
        offset=query.offset,
        query=qe.Query.Nearest(_vector(search.vector), using=search.using),
        prefetches=[_prefetch(inner) for inner in search.prefetch],
        with_vector=_selected(query.selection.vectors),
        with_payload=_selected(query.selection.payload),
        filter=_optional_filter(search.where),
        score_threshold=search.score_threshold,
        params=_params(search.params),
    )


def _prefetch(search: Search) -> Any:
    return qe.Prefetch(
        limit=search.limit,
        query=qe.Query.Nearest(_vector(search.vector), using=search.using),
        prefetches=[_prefetch(inner) for inner in search.prefetch],
        params=_params(search.params),
        filter=_optional_filter(search.where),
        score_threshold=search.score_threshold,
    )


def _params(params: SearchParams | None) -> Any:
    if params is None:
        return None
    return qe.SearchParams(
        hnsw_ef=params.hnsw_ef,
        exact=params.exact,
        indexed_only=params.indexed_only,
        idf=None if params.idf_corpus is None else qe.IdfParams(corpus=_filter(params.idf_corpus)),
    )


def _optional_filter(where: Filter | None) -> Any:
    return None if where is None else _filter(where)


def _filter(where: Filter) -> Any:
    return qe.Filter(
        must=[_condition(condition) for condition in where.must] or None,
        should=[_condition(condition) for condition in where.should] or None,
        must_not=[_condition(condition) for condition in where.must_not] or None,
    )


def _condition(condition: Condition) -> Any:
    match condition:
        case FieldMatch(key, values, True):
            return qe.FieldCondition(key, match=qe.MatchExcept([*values]))
        case FieldMatch(key, (value,)):
            return qe.FieldCondition(key, match=qe.MatchValue(value))
        case FieldMatch(key, values):
            return qe.FieldCondition(key, match=qe.MatchAny([*values]))
        case FieldEmpty(key):
            return qe.IsEmptyCondition(key)
        case HasId(ids):
            return qe.HasIdCondition(set(ids))
        case Filter():
            return _filter(condition)


def _selected(selected: bool | tuple[str, ...]) -> bool | list[str]:
    return selected if isinstance(selected, bool) else list(selected)


def _found(point: Any, score: float = 0.0, version: int = 0) -> Found:
    vectors = point.vector
    return Found(point.id, point.payload, None if vectors is None else _plain(vectors), score, version)


def _point_id(value: Any) -> PointId:
    return str(value) if isinstance(value, uuid.UUID) else value


def _plain(vectors: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"indices": list(vector.indices), "values": list(vector.values)}
        if isinstance(vector, qe.SparseVector)
        else np.asarray(vector).tolist()
        for name, vector in vectors.items()
    }
