"""Letting requests in without any web framework: rights, rates, requests in flight, and the audit trail."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.access.admit import Admission
from atoll.access.limits import Slots
from atoll.access.queries import Queries
from atoll.access.rates import LocalRates, RateLimit
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.ids import Subject
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.principal import Action, Principal, Role
from atoll.errors import Forbidden, NotFound, QuotaExceeded
from tests.support.house import House
from tests.support.readers import reader_of


@pytest.fixture
async def house(tmp_path: Path):
    house = House(tmp_path / "house", vectors=MemoryGraphIndex())
    yield house
    await house.close_stores()


def admission(house: House, *, per_minute: int = 100, at_a_time: int = 2) -> Admission:
    return Admission(
        rates=RateLimit(None, LocalRates(per_minute)),
        requests=Slots(at_a_time, "requests"),
        knowledge_bases=house.knowledge_bases,
        queries=Queries(house.usage),
        audit=house.audit,
    )


def ada(kb: KnowledgeBase, role: Role = Role.READER, *, labels: frozenset[str] | None = None) -> Principal:
    return Principal(Subject("user:ada"), kb.tenant, "Ada", role, None, labels, "acme")


async def test_who_may_is_let_in_and_told_where(house: House) -> None:
    (kb,) = await house.open("main")
    who = ada(kb, labels=frozenset({"red"}))
    async with admission(house).admit_to("main", who, Action.READ, request_id="r1") as access:
        assert (access.kb, access.kb_name, access.reader) == (kb.uid, "main", reader_of(kb, frozenset({"red"})))
        assert (access.actor.subject, access.actor.request_id) == ("user:ada", "r1")
    async with admission(house).admit(ada(kb, Role.OWNER), Action.MANAGE_KEYS, request_id="r2") as access:
        assert access.principal.name == "Ada"


async def test_refusals_stand_in_the_audit_trail(house: House) -> None:
    (kb,) = await house.open("main")
    door = admission(house)
    with pytest.raises(Forbidden):
        async with door.admit_to("main", ada(kb), Action.WRITE, request_id="r1"):
            pass
    with pytest.raises(Forbidden):
        async with door.admit(ada(kb), Action.MANAGE_KEYS, request_id="r2"):
            pass
    with pytest.raises(NotFound):
        async with door.admit_to("nowhere", ada(kb), Action.READ, request_id="r3"):
            pass
    events = await house.audit.page(kb.tenant, since=None, action=None, actor="user:ada", after=0, limit=9)
    told = [(event.action, event.object, event.result, event.request_id) for event in events]
    assert told == [("write.denied", "kb main", "Forbidden", "r1"), ("manage_keys.denied", "tenant", "Forbidden", "r2")]


async def test_requests_are_bounded_in_number_and_rate(house: House) -> None:
    (kb,) = await house.open("main")
    who, other = ada(kb), Principal(Subject("user:bo"), kb.tenant, "Bo", Role.READER, None, None, "acme")
    door = admission(house, at_a_time=1)
    async with door.admit_to("main", who, Action.READ, request_id="r"):
        with pytest.raises(QuotaExceeded, match="at a time"):
            async with door.admit_to("main", who, Action.READ, request_id="r"):
                pass
        async with door.admit_to("main", who, Action.READ, request_id="r", counted=False):
            pass
        async with door.admit_to("main", other, Action.READ, request_id="r"):
            pass
    rare = admission(house, per_minute=1)
    async with rare.admit_to("main", who, Action.READ, request_id="r"):
        pass
    with pytest.raises(QuotaExceeded, match="slow down"):
        async with rare.admit(who, Action.READ, request_id="r"):
            pass
