"""The facts that versions are decided from, on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.statements import load_one
from atoll.adapters.neo4j.transitions import reading
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader
from atoll.records.versions import Placed, numbered_among

_HIGHEST = load_one("versions", "highest")


async def highest_versions(
    transaction: Transaction, reader: Reader, documents: Sequence[Placed], *, but: DocumentUid | None = None
) -> list[int]:
    """Return of each document the highest version at its place that it is counted among, 0 without one.

    The document ``but`` is left out.
    """
    places = [
        {"name": each.name, "source": each.source, **reading(numbered_among(reader, each.labels))} for each in documents
    ]
    found = await transaction.all(_HIGHEST, kb=reader.kb, places=places, but=but)
    highest = {record["at"]: int(record["version"]) for record in found}
    return [highest[at] for at in range(len(documents))]
