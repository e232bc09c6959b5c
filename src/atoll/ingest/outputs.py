"""The outputs of a document's stages: kept for good, and handed from stage to stage in memory while a slice lasts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from atoll.domain.artefact import Artefact
from atoll.ports.artefacts import Artefacts

T = TypeVar("T")

#: Bytes, as they are kept, of what one document's slice remembers. A document of a few hundred passages fits.
MAX_REMEMBERED_BYTES = 2 * 2**20


class Outputs:
    """Writes and reads parts; a part that was written or read in this slice is not read from the disk again.

    What is remembered are the values themselves, so that callers must not change them. The oldest go first when
    ``max_bytes`` is passed, and a larger part is not remembered at all.
    """

    def __init__(self, artefacts: Artefacts, *, max_bytes: int = MAX_REMEMBERED_BYTES) -> None:
        self._artefacts = artefacts
        self._max_bytes = max_bytes
        self._values: OrderedDict[tuple[Artefact, str], tuple[object, int]] = OrderedDict()
        self._bytes = 0

    async def write(self, artefact: Artefact, part: str, value: T, encode: Callable[[T], bytes]) -> None:
        """Keep a value as a part."""
        content = await asyncio.to_thread(encode, value)
        await self._artefacts.put(artefact, part, content)
        self.remember(artefact, part, value, len(content))

    async def read(self, artefact: Artefact, part: str, decode: Callable[[bytes], T]) -> T:
        """Return the value of a part. Raises ArtefactMissing."""
        remembered = self._values.get((artefact, part))
        if remembered is not None:
            self._values.move_to_end((artefact, part))
            return cast("T", remembered[0])
        content = await self._artefacts.get(artefact, part)
        value = await asyncio.to_thread(decode, content)
        self.remember(artefact, part, value, len(content))
        return value

    async def has(self, artefact: Artefact, part: str) -> bool:
        """Return whether a part is there."""
        return (artefact, part) in self._values or await self._artefacts.exists(artefact, part)

    def remember(self, artefact: Artefact, part: str, value: object, size_bytes: int) -> None:
        """Hold a value that is kept as a part of that size."""
        self._bytes -= self._values.pop((artefact, part), (None, 0))[1]
        if size_bytes > self._max_bytes:
            return
        self._values[artefact, part] = (value, size_bytes)
        self._bytes += size_bytes
        while self._bytes > self._max_bytes:
            _, (_, freed) = self._values.popitem(last=False)
            self._bytes -= freed


def to_json(value: object) -> bytes:
    """Return a value as JSON."""
    # Named tuples are the one kind of value that orjson leaves to us.
    return orjson.dumps(value, default=list)


def from_json(content: bytes) -> object:
    """Return what ``to_json`` wrote, in plain values."""
    value: object = orjson.loads(content)
    return value


def to_tables(tables: Sequence[NDArray[np.float16]]) -> bytes:
    """Return tables of rows, one behind the other, as bytes."""
    return b"".join(map(to_rows, tables))


def from_tables(content: bytes) -> list[NDArray[np.float16]]:
    """Return what ``to_tables`` wrote."""
    tables, at = [], 0
    while at < len(content):
        rows, columns = np.frombuffer(content, dtype="<u4", count=2, offset=at)
        end = at + 8 + 2 * int(rows) * int(columns)
        tables.append(from_rows(content[at:end]))
        at = end
    return tables


def to_rows(vectors: NDArray[np.float16]) -> bytes:
    """Return rows of fp16 as bytes; the shape stands in the first eight."""
    shape = np.asarray(vectors.shape, dtype="<u4")
    return shape.tobytes() + np.ascontiguousarray(vectors, dtype="<f2").tobytes()


def from_rows(content: bytes) -> NDArray[np.float16]:
    """Return what ``to_rows`` wrote."""
    rows, columns = np.frombuffer(content[:8], dtype="<u4")
    return np.frombuffer(content[8:], dtype="<f2").reshape(int(rows), int(columns)).astype(np.float16)
