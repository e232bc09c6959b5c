"""Qdrant's REST bodies -> engine types. Whatever is not understood is refused by name, never ignored.

A field that Qdrant knows and this server does not is a 501 naming it; a value that is wrong is a 400.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atoll.local.vectors.engine import (
    Change,
    CollectionConfig,
    Condition,
    DeletePoints,
    DeleteWhere,
    FieldEmpty,
    FieldMatch,
    Filter,
    HasId,
    Point,
    Query,
    Search,
    SearchParams,
    Selection,
    SetPayload,
    Sparse,
    Upsert,
    Vector,
)
from atoll.local.vectors.rejections import BadRequest, NotServed
from atoll.local.vectors.values import boolean, fields, items, point_id, required, text, whole

MAX_LIMIT = 10_000
MAX_SEARCHES = 64
MAX_POINTS = 10_000
MAX_ROWS = 8_192
MAX_DEPTH = 8
_MAX_DIMENSION = 2**32 - 1


# Vectors


def _numbers(value: Any, where: str) -> NDArray[np.float32]:
    if not isinstance(value, list) or not set(map(type, value)) <= {int, float}:
        raise BadRequest(f"{where} must be a list of numbers")
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(value, dtype=np.float32)
    except OverflowError as error:
        raise BadRequest(f"{where} holds a number that is too large") from error
    if not np.isfinite(numbers).all():
        raise BadRequest(f"{where} holds a number that is too large for 32 bits")
    return numbers


def _sized(value: Any, size: int, where: str) -> NDArray[np.float32]:
    numbers = _numbers(value, where)
    if len(numbers) != size:
        raise BadRequest(f"Wrong input: Vector dimension error: expected dim: {size}, got {len(numbers)} ({where})")
    return numbers


def _sparse(value: Any, where: str) -> Sparse:
    given = fields(value, where, {"indices", "values"})
    indices = required(given, where, "indices")
    values = _numbers(required(given, where, "values"), f"{where}.values")
    if not isinstance(indices, list) or not set(map(type, indices)) <= {int}:
        raise BadRequest(f"{where}.indices must be a list of whole numbers")
    if len(indices) != len(values):
        raise BadRequest(f"{where}: indices and values differ in length")
    if indices and not (min(indices) >= 0 and max(indices) <= _MAX_DIMENSION):
        raise BadRequest(f"{where}.indices must be from 0 to {_MAX_DIMENSION}")
    if len(set(indices)) != len(indices):
        raise BadRequest(f"{where}.indices holds a dimension twice")
    return Sparse(np.array(indices, dtype=np.uint32), values)


def vector(value: Any, name: str, config: CollectionConfig) -> Vector:
    """Return a vector that fits the collection's configuration of ``name``."""
    where = f"vector `{name}`"
    if name in config.sparse:
        return _sparse(value, where)
    if name not in config.dense:
        raise BadRequest(f"Wrong input: Not existing vector name error: {name}")
    if isinstance(value, dict):
        raise NotServed(f"{where} given as {' or '.join(sorted(value)) or 'an object'}")
    params = config.dense[name]
    if not params.multivector:
        return _sized(value, params.size, where)
    rows = items(value, where, MAX_ROWS)
    if not rows:
        raise BadRequest(f"{where} has no rows")
    return np.stack([_sized(row, params.size, where) for row in rows])


# Filters


def where_filter(value: Any, where: str = "filter", depth: int = 0) -> Filter:
    """Return a filter."""
    if depth > MAX_DEPTH:
        raise BadRequest(f"{where} is nested deeper than {MAX_DEPTH}")
    given = fields(value, where, {"must", "should", "must_not"})
    return Filter(**{clause: _conditions(inner, f"{where}.{clause}", depth) for clause, inner in given.items()})


def _conditions(value: Any, where: str, depth: int) -> tuple[Condition, ...]:
    listed = items(value, where, MAX_LIMIT) if isinstance(value, list) else [value]
    return tuple(_condition(item, where, depth) for item in listed)


def _condition(value: Any, where: str, depth: int) -> Condition:
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must hold objects")
    if "key" in value:
        given = fields(value, where, {"key", "match", "is_empty"})
        key = text(given["key"], f"{where}.key")
        if "is_empty" in given:
            empty = FieldEmpty(key)
            return empty if boolean(given["is_empty"], f"{where}.is_empty") else Filter(must_not=(empty,))
        return _match(required(given, where, "match"), key, f"{where}.match")
    if "is_empty" in value:
        field = fields(fields(value, where, {"is_empty"})["is_empty"], f"{where}.is_empty", {"key"})
        return FieldEmpty(text(required(field, where, "key"), f"{where}.is_empty.key"))
    if "has_id" in value:
        ids = items(fields(value, where, {"has_id"})["has_id"], f"{where}.has_id", MAX_LIMIT)
        return HasId(frozenset(point_id(item, f"{where}.has_id") for item in ids))
    return where_filter(value, where, depth + 1)


def _match(value: Any, key: str, where: str) -> FieldMatch:
    given = fields(value, where, {"value", "any", "except"})
    if len(given) != 1:
        raise BadRequest(f"{where} must hold one of value, any, except")
    ((kind, wanted),) = given.items()
    values = [wanted] if kind == "value" else items(wanted, f"{where}.{kind}", MAX_LIMIT)
    if any(isinstance(item, bool) for item in values):
        raise NotServed(f"{where} of booleans")
    if len({type(item) for item in values}) > 1 or not all(isinstance(item, (str, int)) for item in values):
        raise BadRequest(f"{where} must hold strings, or whole numbers")
    return FieldMatch(key, tuple(values), negated=kind == "except")


# Queries

_SEARCH = {"query", "using", "filter", "params", "score_threshold", "limit", "prefetch"}
_SELECTION = {"with_payload", "with_vector"}


def query(value: Any, config: CollectionConfig) -> Query:
    """Return one query of `points/query` or `points/query/batch`."""
    given = fields(value, "query request", _SEARCH | _SELECTION | {"offset"})
    return Query(
        search=_search(given, config, 0),
        offset=whole(given.get("offset", 0), "offset", 0, MAX_LIMIT),
        selection=selection(given, payload=False),
    )


def queries(value: Any, config: CollectionConfig) -> list[Query]:
    """Return the queries of a batch."""
    given = fields(value, "batch", {"searches"})
    return [query(item, config) for item in items(required(given, "batch", "searches"), "searches", MAX_SEARCHES)]


def _search(given: Mapping[str, Any], config: CollectionConfig, depth: int) -> Search:
    if depth > MAX_DEPTH:
        raise BadRequest(f"prefetch is nested deeper than {MAX_DEPTH}")
    if "query" not in given:
        raise NotServed("a query without a vector")
    name = text(given.get("using", ""), "using")
    threshold = given.get("score_threshold")
    if threshold is not None and (not isinstance(threshold, (int, float)) or isinstance(threshold, bool)):
        raise BadRequest("score_threshold must be a number")
    return Search(
        vector=vector(_nearest(given["query"], sparse=name in config.sparse), name, config),
        using=name,
        limit=whole(given.get("limit", 10), "limit", 1, MAX_LIMIT),
        where=where_filter(given["filter"]) if "filter" in given else None,
        params=_params(given["params"]) if "params" in given else None,
        score_threshold=threshold,
        prefetch=_prefetches(given.get("prefetch", []), config, depth),
    )


def _prefetches(value: Any, config: CollectionConfig, depth: int) -> tuple[Search, ...]:
    listed = items(value, "prefetch", MAX_SEARCHES) if isinstance(value, list) else [value]
    return tuple(_search(fields(item, "prefetch", _SEARCH), config, depth + 1) for item in listed)


def _nearest(value: Any, *, sparse: bool) -> Any:
    if isinstance(value, list) or (sparse and isinstance(value, dict) and "indices" in value):
        return value
    if not isinstance(value, dict):
        raise NotServed("a query by point id")
    return required(fields(value, "query", {"nearest"}), "query", "nearest")


def _params(value: Any) -> SearchParams:
    given = fields(value, "params", {"hnsw_ef", "exact", "indexed_only", "idf"})
    idf = given.get("idf", "global")
    corpus = None if idf == "global" else fields(idf, "params.idf", {"corpus"}).get("corpus")
    return SearchParams(
        hnsw_ef=whole(given["hnsw_ef"], "params.hnsw_ef", 1, MAX_LIMIT) if "hnsw_ef" in given else None,
        exact=boolean(given.get("exact", False), "params.exact"),
        indexed_only=boolean(given.get("indexed_only", False), "params.indexed_only"),
        idf_corpus=None if corpus is None else where_filter(corpus, "params.idf.corpus"),
    )


def selection(given: Mapping[str, Any], *, payload: bool) -> Selection:
    """Return what comes back of each point; ``payload`` is the route's default."""
    return Selection(
        payload=_selected(given.get("with_payload", payload), "with_payload"),
        vectors=_selected(given.get("with_vector", False), "with_vector"),
    )


def _selected(value: Any, where: str) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        value = required(fields(value, where, {"include"}), where, "include")
    return tuple(text(item, where) for item in items(value, where, MAX_LIMIT))


# Writes


def upsert(value: Any, config: CollectionConfig) -> Upsert:
    """Return the points of `PUT points`."""
    given = fields(value, "upsert", {"points"})
    listed = items(required(given, "upsert", "points"), "points", MAX_POINTS)
    return Upsert([_point(item, config) for item in listed])


def _point(value: Any, config: CollectionConfig) -> Point:
    given = fields(value, "point", {"id", "vector", "payload"})
    vectors = required(given, "point", "vector")
    if not isinstance(vectors, dict):
        raise NotServed("an unnamed vector")
    payload = given.get("payload", {})
    if not isinstance(payload, dict):
        raise BadRequest("point.payload must be an object")
    return Point(
        id=point_id(required(given, "point", "id"), "point.id"),
        vectors={name: vector(item, name, config) for name, item in vectors.items()},
        payload=payload,
    )


def payload_change(value: Any) -> SetPayload:
    """Return the change of `points/payload`: fields for the points of a filter."""
    given = fields(value, "set payload", {"payload", "filter"})
    payload = required(given, "set payload", "payload")
    if not isinstance(payload, dict):
        raise BadRequest("payload must be an object")
    return SetPayload(payload, where_filter(required(given, "set payload", "filter")))


def deletion(value: Any) -> Change:
    """Return the change of `points/delete`: by ids or by filter."""
    given = fields(value, "delete", {"points", "filter"})
    if len(given) != 1:
        raise BadRequest("delete must hold either points or filter")
    if "filter" in given:
        return DeleteWhere(where_filter(given["filter"]))
    return DeletePoints(tuple(point_id(item, "points") for item in items(given["points"], "points", MAX_POINTS)))
