"""P6: what a restricted reader is told is what it would be told if there were only the documents that it sees."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.answer import Answer
from atoll.domain.document import Amendment, NewDocument
from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import DocumentUid, KbUid, TenantId, new_uid
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.tenant import Tenant
from atoll.errors import QuotaExceeded
from atoll.ports.archive import Accounts, KbRecord
from atoll.query.requests import AnswerMode, QueryRequest, SearchRequest
from tests.support.house import ACTOR, House
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either

NAMES = [
    "Ursula Kettering", "Montevideo Harbour", "Tom Waits", "Garnet Bridge", "Ada Lovelace", "Osk Head", "Merle Quay",
    "Nordwind Station",
]  # fmt: skip
WORDS = ["salary", "lighthouse", "pump", "valve", "harvest", "signal", "charter", "ferry", "winter", "ledger"]
MODES = (Mode.NAIVE, Mode.LOCAL, Mode.GLOBAL, Mode.HYBRID, Mode.MIX)
HELD = frozenset({"red", "blue"})
DOCUMENTS, SEARCHES = 24, 5


@pytest.fixture(params=STORES)
def opening(request, tmp_path):
    """Open a house over an empty store of that kind, as often as it is called."""

    def open_house() -> House:
        folder = tmp_path / new_uid()
        folder.mkdir()
        return House(folder, records=open_either(request, request.param, folder), vectors=MemoryGraphIndex())

    return open_house


def text_of(number: int, chance: random.Random) -> str:
    sentences = [
        f"{chance.choice(NAMES)} met {chance.choice(NAMES)} about the {chance.choice(WORDS)} and the "
        f"{chance.choice(WORDS)} number {chance.randrange(9)}."
        for _ in range(4)
    ]
    return f"# Report {number} of {chance.choice(NAMES)}\n\n" + "\n\n".join(sentences)


async def told(house: House, kb, questions) -> list:
    """All that searches tell the reader, with documents by their names."""
    reader, shown = reader_of(kb, HELD), []
    for question, mode in questions:
        outcome = await house.ask.search(SearchRequest(reader, question, mode, 20, Filters()))
        assert all(signal.score is None for entry in outcome.evidence for signal in entry.signals.values())
        named = {entry.document_id: entry.document for entry in outcome.evidence}
        shown.append(
            [
                (
                    entry.kind, entry.rank, entry.score, entry.document, entry.page, entry.text,
                    {name: signal.rank for name, signal in entry.signals.items()},
                    None if entry.path is None else [name for _, name in entry.path],
                    sorted(named.get(uid, "another") for uid in entry.also_in),
                    entry.entity and entry.entity.name,
                    entry.relation and replace(entry.relation, id=None),
                )
                for entry in outcome.evidence
            ]
        )  # fmt: skip
    return shown


async def answered(house: House, kb, questions) -> list:
    """All that answers tell the reader: their sentences with citations, or why there is none and how near it came."""
    return [
        (untimed(outcome.answer), outcome.understood, outcome.warnings)
        for question, mode in questions
        for outcome in [
            await house.ask.query(QueryRequest(reader_of(kb, HELD), question, mode, 20, Filters(), AnswerMode.EXTRACT))
        ]
    ]


def untimed(answer: Answer | None) -> Answer | None:
    """An answer without the times at which documents came: two houses are filled one after the other."""
    if answer is None:
        return None
    return replace(
        answer,
        citations=tuple(replace(each, evidence=replace(each.evidence, created_at=None)) for each in answer.citations),
    )


async def counted(house: House, kb) -> list:
    """All that lists, receipts and figures tell the reader, times and the revision left out."""
    reader = reader_of(kb, HELD)
    page = await house.catalogue.page(reader, status=None, name=None, limit=100, before=None)
    entities = await house.atlas.entities(reader, text=None, type_=None, limit=100)
    ids = [card.id for card in entities.entities]
    census = replace(await house.atlas.census(reader), revision=0)
    exported = [
        await house.atlas_export.nodes(reader, after=None, limit=100),
        await house.atlas_export.together(reader, after=None, limit=1000),
    ]
    return [
        [(each.uid, each.name, each.version, each.passages, each.entities, each.labels) for each in page.documents],
        (page.counts, page.older, (await house.passages.scope(reader, Filters())).passages),
        [await house.lifecycle.delete(reader, each.uid, dry_run=True, actor=ACTOR) for each in page.documents],
        entities,
        [await house.atlas.entity(reader, id_) for id_ in ids],
        await house.atlas.around(reader, ids[:2], limit=50),
        await house.atlas.between(reader, ids, limit=100),
        census,
        [replace(batch, revision=0) for batch in exported],
    ]


async def fixed(house: House) -> KnowledgeBase:
    """Make a knowledge base with the same uid every time: entities have ids by it, and ties go by ids."""
    await house.vectors.prepare()
    made = datetime(2026, 1, 1, tzinfo=UTC)
    tenant = Tenant(TenantId("acme"), "acme", {}, made)
    kb = KbRecord(KbUid("c" * 32), tenant.id, "main", "en", 0, 0, {}, {}, made)
    accounts = Accounts((tenant,), (), (kb,), None)
    await house.restoration.begin(accounts)
    await house.restoration.end(accounts)
    return await house.knowledge_bases.get(tenant.id, "main")


async def end_hidden(house: House, kb, uid: DocumentUid, how: str) -> None:
    """Let something happen to a document that the reader does not see; it stays out of sight."""
    match how:
        case "is deleted":
            await house.lifecycle.delete(reader_of(kb), uid, dry_run=False, actor=ACTOR)
            await house.doorbell.ring([uid])
        case "is relabelled":
            await house.lifecycle.amend(reader_of(kb), uid, Amendment(labels=("board", "red")), ACTOR)
            await house.doorbell.ring([uid])
        case "is renamed":
            await house.lifecycle.amend(reader_of(kb), uid, Amendment(name="0.txt", metadata={"a": 1}), ACTOR)


async def answers(house: House, seed: int, *, hidden: bool) -> list:
    """Fill a knowledge base, with or without what the reader does not see, and ask it. Ties go by ids: they are the same."""
    chance = random.Random(seed)
    changed: list[tuple[DocumentUid, str]] = []
    kb = await fixed(house)
    for number in range(DOCUMENTS):
        labels = chance.sample(["red", "blue", "green", "board"], chance.randrange(3))
        text, uid = text_of(number, chance), DocumentUid(f"{seed:016x}{number:016x}")
        ends = chance.choice(["stays", "stays", "is deleted", "is relabelled", "is renamed"])
        if HELD.issuperset(labels):
            await house.upload(kb, f"{number % 7}.txt", text, labels=labels, uid=uid)
        elif hidden:
            await house.upload(kb, f"{number % 7}.txt", text, labels=labels, uid=uid)
            changed.append((uid, ends))
    await house.work()
    for uid, ends in changed:
        await end_hidden(house, kb, uid, ends)
    await house.work()
    questions = [
        (f"What did {chance.choice(NAMES)} say about the {chance.choice(WORDS)}?", mode)
        for _ in range(SEARCHES)
        for mode in MODES
    ]
    shown = [
        *await told(house, kb, questions),
        *await answered(house, kb, questions[:: len(MODES)]),
        *await counted(house, kb),
    ]
    everything = await house.search(kb, questions[0][0], mode=Mode.MIX)
    assert any(signal.score is not None for entry in everything for signal in entry.signals.values())
    await house.close_stores()
    return shown


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_hidden_documents_move_no_result_no_order_and_no_score(opening, seed):
    with_hidden = await answers(opening(), seed, hidden=True)
    without = await answers(opening(), seed, hidden=False)
    for one, other in zip(with_hidden, without, strict=True):
        assert one == other


async def test_a_receipt_counts_what_its_reader_sees(opening):
    house = opening()
    (kb,) = await house.open("main")
    await house.upload(kb, "salaries.txt", "Ursula Kettering lives in Montevideo Harbour.", labels=["board"])
    await house.upload(kb, "open.txt", "Tom Waits sang.", labels=[])
    probe = await house.upload(kb, "probe.txt", "Ursula Kettering, Montevideo Harbour and Tom Waits.", labels=["red"])
    await house.work()
    counted = {}
    for who, labels in (("restricted", HELD), ("everybody", None)):
        receipt = await house.lifecycle.delete(reader_of(kb, labels), probe.uid, dry_run=True, actor=ACTOR)
        counted[who] = receipt.kept_entities
    assert counted["restricted"] < counted["everybody"]
    (alone,) = await house.open("alone")
    await house.upload(alone, "open.txt", "Tom Waits sang.", labels=[])
    same = await house.upload(alone, "probe.txt", "Ursula Kettering, Montevideo Harbour and Tom Waits.", labels=["red"])
    await house.work()
    receipt = await house.lifecycle.delete(reader_of(alone, HELD), same.uid, dry_run=True, actor=ACTOR)
    assert receipt.kept_entities == counted["restricted"]
    await house.close_stores()


async def test_a_quota_tells_a_restricted_uploader_no_figure(opening):
    house = opening()
    (kb,) = await house.open("main")
    await house.upload(kb, "hidden.txt", "One hidden text.", labels=["board"])
    await house.knowledge_bases.update(kb.tenant, "main", settings=None, quota={"documents": 1}, actor=ACTOR)
    new = NewDocument(DocumentUid(new_uid()), "new.txt", None, "text/plain", 3, "f" * 64, ("red",), {})
    with pytest.raises(QuotaExceeded) as refused:
        await house.catalogue.accept(reader_of(kb, HELD), [new], replace=False, actor=ACTOR)
    assert not any(character.isdigit() for character in str(refused.value))
    with pytest.raises(QuotaExceeded, match="may hold 1 documents and holds 1"):
        await house.catalogue.accept(reader_of(kb), [new], replace=False, actor=ACTOR)
    await house.close_stores()
