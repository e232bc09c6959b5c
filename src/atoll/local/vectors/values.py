"""One value of a request's JSON: what it must be, or a refusal that names where it stands."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import orjson

from atoll.local.vectors.engine import PointId
from atoll.local.vectors.rejections import BadRequest, NotServed

_MAX_POINT_NUMBER = 2**64 - 1


def body(content: bytes) -> Any:
    """Return the JSON value of a request body."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body is not valid JSON: {error}") from error


def fields(value: Any, where: str, served: set[str]) -> dict[str, Any]:
    """Return the fields of an object that are set, refusing those that are not ``served``."""
    if not isinstance(value, dict):
        raise BadRequest(f"{where} must be an object")
    present = {key: item for key, item in value.items() if item is not None}
    for key in present:
        if key not in served:
            raise NotServed(f"{where}.{key}")
    return present


def required(value: Mapping[str, Any], where: str, key: str) -> Any:
    """Return a field that must be there."""
    if key not in value:
        raise BadRequest(f"{where}.{key} is missing")
    return value[key]


def boolean(value: Any, where: str) -> bool:
    """Return a JSON boolean."""
    if not isinstance(value, bool):
        raise BadRequest(f"{where} must be true or false")
    return value


def whole(value: Any, where: str, low: int, high: int) -> int:
    """Return an integer from ``low`` to ``high``."""
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(f"{where} must be a whole number from {low} to {high}")
    return value


def text(value: Any, where: str) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{where} must be a string that is not empty")
    return value


def items(value: Any, where: str, most: int) -> list[Any]:
    """Return a list of at most ``most`` items."""
    if not isinstance(value, list):
        raise BadRequest(f"{where} must be a list")
    if len(value) > most:
        raise BadRequest(f"{where} has {len(value)} items, at most {most} are allowed; send several requests")
    return value


def point_id(value: Any, where: str) -> PointId:
    """Return a point id; UUIDs in any spelling become canonical."""
    if isinstance(value, str):
        try:
            return str(uuid.UUID(value))
        except ValueError as error:
            raise BadRequest(f"{where} must be an unsigned integer or a UUID") from error
    return whole(value, where, 0, _MAX_POINT_NUMBER)
