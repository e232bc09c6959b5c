"""Single values as both stores keep them.

A row is whatever gives a value for a name: a row of SQLite, a map of Neo4j. Names that end in ``_json`` hold JSON;
lists of texts come as lists or as JSON; times are milliseconds since 1970; vectors are the bytes of fp16 numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np
import orjson
from numpy.typing import NDArray


class Row(Protocol):
    """One value for each name."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the value of a name."""
        ...


def instant(milliseconds: int) -> datetime:
    """Return a time that is always set."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def moment(milliseconds: int | None) -> datetime | None:
    """Return a time that may be missing."""
    return None if milliseconds is None else instant(milliseconds)


def milliseconds(at: datetime) -> int:
    """Return a time as the stores keep it."""
    return int(at.timestamp() * 1000)


def milliseconds_or_none(at: datetime | None) -> int | None:
    """Return a time that may be missing as the stores keep it."""
    return None if at is None else milliseconds(at)


def texts(value: str | Sequence[str]) -> tuple[str, ...]:
    """Return a list of texts."""
    return tuple(orjson.loads(value)) if isinstance(value, str) else tuple(value)


def vectors(stored: Sequence[bytes | None]) -> NDArray[np.float16]:
    """Return fp16 rows as stored, (n, dimensions), a row of zeros for no bytes; (n, 0) when there is no vector."""
    width = max((len(vector) for vector in stored if vector is not None), default=0)
    blank = bytes(width)
    joined = b"".join(vector or blank for vector in stored)
    return np.frombuffer(joined, "<f2").astype(np.float16, copy=False).reshape(len(stored), width // 2)


def whole_vectors(stored: Sequence[bytes | None]) -> NDArray[np.float16] | None:
    """Return fp16 rows as stored; None when there are none, or one is missing."""
    return vectors(stored) if stored and all(vector is not None for vector in stored) else None
