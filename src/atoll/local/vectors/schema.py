"""Collection configurations: Qdrant's JSON -> engine types, and the JSON that describes a collection."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from atoll.local.vectors.engine import (
    CollectionConfig,
    Datatype,
    DenseParams,
    Distance,
    Figures,
    Hnsw,
    IndexKeyword,
    SparseParams,
)
from atoll.local.vectors.rejections import BadRequest, NotServed
from atoll.local.vectors.values import boolean, fields, required, text, whole

MAX_DIMENSIONS = 65_536
_Name = TypeVar("_Name", bound=StrEnum)
_HNSW_LIMITS = {"m": 1024, "ef_construct": 10_000, "full_scan_threshold": 10_000_000, "payload_m": 1024}


def collection_config(value: Any) -> CollectionConfig:
    """Return the configuration in the body of `PUT /collections/{name}`."""
    given = fields(value, "collection", {"vectors", "sparse_vectors", "hnsw_config"})
    vectors = given.get("vectors", {})
    if isinstance(vectors, dict) and "size" in vectors:
        raise NotServed("an unnamed vector")
    config = CollectionConfig(
        dense={name: _dense(params, f"vectors.{name}") for name, params in _named(vectors, "vectors")},
        sparse={
            name: _sparse(params, f"sparse_vectors.{name}")
            for name, params in _named(given.get("sparse_vectors", {}), "sparse_vectors")
        },
        hnsw=_hnsw(given.get("hnsw_config", {}), "hnsw_config"),
    )
    if not config.dense and not config.sparse:
        raise BadRequest("a collection needs at least one named vector")
    if config.dense.keys() & config.sparse.keys():
        raise BadRequest("a name can be either a dense or a sparse vector")
    return config


def _named(value: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must be an object")
    return [(text(name, where), params) for name, params in value.items()]


def _dense(value: Any, where: str) -> DenseParams:
    given = fields(value, where, {"size", "distance", "multivector_config", "datatype", "on_disk", "hnsw_config"})
    return DenseParams(
        size=whole(required(given, where, "size"), f"{where}.size", 1, MAX_DIMENSIONS),
        distance=_choice(Distance, required(given, where, "distance"), f"{where}.distance"),
        multivector="multivector_config" in given and _multivector(given["multivector_config"], where),
        datatype=_choice(Datatype, given.get("datatype", "float32"), f"{where}.datatype"),
        on_disk=boolean(given["on_disk"], f"{where}.on_disk") if "on_disk" in given else None,
        hnsw=_hnsw(given["hnsw_config"], f"{where}.hnsw_config") if "hnsw_config" in given else None,
    )


def _multivector(value: Any, where: str) -> bool:
    given = fields(value, f"{where}.multivector_config", {"comparator"})
    if required(given, where, "comparator") != "max_sim":
        raise BadRequest(f"{where}.multivector_config.comparator must be max_sim")
    return True


def _choice(kind: type[_Name], value: Any, where: str) -> _Name:
    try:
        return kind(value)
    except ValueError as error:
        raise BadRequest(f"{where} must be one of {', '.join(kind)}") from error


def _sparse(value: Any, where: str) -> SparseParams:
    given = fields(value, where, {"modifier"})
    if given.get("modifier", "none") not in ("none", "idf"):
        raise BadRequest(f"{where}.modifier must be none or idf")
    return SparseParams(idf=given.get("modifier") == "idf")


def _hnsw(value: Any, where: str) -> Hnsw:
    given = fields(value, where, set(_HNSW_LIMITS))
    return Hnsw(
        **{key: whole(given[key], f"{where}.{key}", 0, most) for key, most in _HNSW_LIMITS.items() if key in given}
    )


def keyword_index(value: Any) -> IndexKeyword:
    """Return the index in the body of `PUT /collections/{name}/index`."""
    given = fields(value, "index", {"field_name", "field_schema"})
    key = text(required(given, "index", "field_name"), "index.field_name")
    schema = required(given, "index", "field_schema")
    if isinstance(schema, str):
        schema = {"type": schema}
    params = fields(schema, "index.field_schema", {"type", "is_tenant"})
    kind = required(params, "index.field_schema", "type")
    if kind != "keyword":
        raise NotServed(f"a payload index of type {kind}")
    return IndexKeyword(key, tenant=boolean(params.get("is_tenant", False), "index.field_schema.is_tenant"))


def described(spec: Mapping[str, Any], config: CollectionConfig, figures: Figures, *, status: str) -> dict[str, Any]:
    """Return what `GET /collections/{name}` answers; ``spec`` is the body the collection was created with."""
    return {
        "status": status,
        "optimizer_status": "ok",
        "points_count": figures.points,
        "indexed_vectors_count": figures.indexed_vectors,
        "segments_count": figures.segments,
        "payload_schema": {
            key: {"data_type": "keyword", "params": {"type": "keyword", "is_tenant": tenant}, "points": points}
            for key, (tenant, points) in figures.keywords.items()
        },
        "config": {
            "params": {
                "vectors": spec.get("vectors") or {},
                "sparse_vectors": spec.get("sparse_vectors"),
                "shard_number": 1,
                "replication_factor": 1,
                "write_consistency_factor": 1,
                "on_disk_payload": True,
            },
            "hnsw_config": {
                "m": config.hnsw.m,
                "ef_construct": config.hnsw.ef_construct,
                "full_scan_threshold": config.hnsw.full_scan_threshold,
                "payload_m": config.hnsw.payload_m,
            },
            "optimizer_config": {"default_segment_number": 0, "flush_interval_sec": 5},
        },
    }
