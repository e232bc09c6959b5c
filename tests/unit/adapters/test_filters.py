"""Filters are matched against every document: they are bounded, and stand in nobody's way."""

from __future__ import annotations

from types import ModuleType
from typing import Any, cast

import pytest

import atoll.adapters.neo4j.passages as on_graph
import atoll.adapters.sqlite.passages as on_sqlite
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.passages import SqlitePassages
from atoll.domain.evidence import Filters
from atoll.domain.ids import KbUid
from atoll.errors import BadInput
from atoll.records.filters import MAX_PATTERNS, MAX_STARS
from tests.support.readers import reader_of


@pytest.mark.parametrize("store", [on_sqlite, on_graph], ids=["sqlite", "graph database"])
def test_patterns_of_names_are_bounded_in_number_and_stars(store: ModuleType) -> None:
    store._conditions(Filters(names=("*a" * MAX_STARS,) * MAX_PATTERNS))
    with pytest.raises(BadInput, match="at most 16 patterns"):
        store._conditions(Filters(names=("a",) * (MAX_PATTERNS + 1)))
    with pytest.raises(BadInput, match="at most 8 stars"):
        store._conditions(Filters(names=("ok", "*a" * (MAX_STARS + 1))))


class Threads:
    """Says on which of a database's threads work would be done."""

    def __init__(self) -> None:
        self.used: list[str] = []

    async def read(self, work: object) -> Any:
        self.used.append("read")

    async def scan(self, work: object) -> Any:
        self.used.append("scan")


async def test_a_search_with_filters_does_not_hold_up_the_short_reads_of_others() -> None:
    threads = Threads()
    passages = SqlitePassages(cast("Database", threads))
    reader = reader_of(KbUid("kb"))
    await passages.scope(reader, Filters())
    await passages.scope(reader, Filters(names=("*.pdf",)))
    await passages.scope(reader, Filters(metadata={"year": 2024}))
    assert threads.used == ["read", "scan", "scan"]
