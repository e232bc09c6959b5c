"""An indexed value of the graph database can be at most 8,164 bytes long; past it every write of it fails for ever."""

from __future__ import annotations

import re
from pathlib import Path

import atoll.adapters.neo4j as store
from atoll.adapters.qdrant_calls import connected
from atoll.domain.names import MAX_KEY_CHARACTERS
from atoll.intake.names import MAX_NAME_BYTES

LONGEST = 8_164
_NUMBER, _UID, _DIGEST, _NAME = 9, 64, 64, 4 * 64
_MOST_OF_UTF8 = 4
#: Longest value in bytes of each property that an index or a constraint names. Names on the wire have 64 characters.
BOUNDS = {
    "id": 2 * _UID, "uid": _UID, "kb": _UID, "tenant": _UID, "document": _UID, "passage": 2 * _UID, "batch": _UID,
    "name": max(_NAME, MAX_NAME_BYTES), "live_name": _NAME, "live_bytes": _DIGEST + MAX_NAME_BYTES, "sha256": _DIGEST,
    "status": 16, "subject": _UID + 8, "day": 16, "key": MAX_KEY_CHARACTERS * _MOST_OF_UTF8, "seq": _NUMBER,
    "changed_seq": _NUMBER, "hidden": _NUMBER, "live": 1, "rung_at": _NUMBER, "ordinal": _NUMBER, "at": _NUMBER,
    "df": _NUMBER, "expires_at": _NUMBER, "number": _NUMBER,
}  # fmt: skip
_INDEX = re.compile(r"CREATE (?:CONSTRAINT|INDEX) (\w+) .*?(?:REQUIRE|ON) \(?([^()]*?)\)?(?: IS .*)?;")


def _indexed() -> dict[str, list[str]]:
    folder = Path(store.__path__[0]) / "migrations"
    text = "\n".join(path.read_text() for path in sorted(folder.glob("*.cypher")))
    found = {name: re.findall(r"\w+\.(\w+)", properties) for name, properties in _INDEX.findall(text)}
    assert len(found) == len(re.findall(r"^CREATE (?:CONSTRAINT|INDEX)", text, re.MULTILINE))
    return found


def test_no_indexed_value_can_be_too_long() -> None:
    for index, properties in _indexed().items():
        unknown = [name for name in properties if name not in BOUNDS]
        assert properties, index
        assert not unknown, f"{index}: say here how long {unknown} can be, and bound it where it comes in"
        assert sum(BOUNDS[name] for name in properties) < LONGEST, index


async def test_the_vector_store_has_our_time_over_grpc_too_and_not_its_clients_five_seconds() -> None:
    client = connected("http://127.0.0.1:1", api_key=None, prefer_grpc=True, grpc_port=2, timeout_seconds=20.0)
    assert client._client._timeout == 20  # type: ignore[attr-defined]
    await client.close()
