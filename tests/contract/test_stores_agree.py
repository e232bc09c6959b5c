"""A differential test: SQLite and Neo4j are given the same operations, and what they answer and keep is the same."""

from __future__ import annotations

import dataclasses
import os
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.document import Amendment, DocumentError, DocumentWarning, NewDocument, Stage, Status
from atoll.domain.entity import Assertion, Mention
from atoll.domain.evidence import Filters
from atoll.domain.ids import (
    DocumentUid,
    KbUid,
    PassageId,
    TenantId,
    chunk_id,
    entity_id,
    new_uid,
    passage_id,
    relation_id,
)
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.domain.reading import HowRead
from atoll.domain.tenant import Tenant
from atoll.errors import AtollError
from atoll.ports.archive import Accounts, KbRecord
from atoll.ports.contents import ContentBatch, VectorsWanted
from atoll.ports.graph import GraphScope, Reach
from atoll.ports.ledger import Claim, DocumentFacts
from tests.support import canonical
from tests.support.records import OpenRecords, open_neo4j, open_sqlite

ACTOR = Actor(subject="key:tester", request_id="r1")
TENANT = TenantId("acme")
NAMES, SOURCES = ("plan.txt", "report.md", "memo.txt"), (None, "inbox")
LABELS = ("red", "blue", "board")
KEYS = ("ada berg", "olof strand", "harbour", "valve", "lantern", "pier")
#: Of a run that is to be repeated. Read here: the environment of a test is empty.
SEED = int(os.environ.get("ATOLL_TEST_SEED", "0"))
#: What neither store has from the other: clocks, and numbers that count over different things.
APART = frozenset(
    {
        "created_at",
        "ready_at",
        "seconds",
        "changed_seq",
        "number",
        "batch",
        "next_before",
        "quiet_in_seconds",
        "read",
        "token",
    }
)
#: Tuples that stand for sets.
UNORDERED = frozenset({"include"})
#: There are no files: this is about records.
NO_FILES = Path("no-files")
SECONDS = 15.0
STEPS = 60
#: Knowledge bases to live through; only a long run comes so far.
ROUNDS = int(os.environ.get("ATOLL_TEST_EXAMPLES", "60")) // 2

Do = Callable[[OpenRecords], Awaitable[Any]]


def plain(value: Any) -> Any:
    """Return an answer as far as both stores decide it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        fields |= {name: sorted(fields[name]) for name in UNORDERED & fields.keys() if fields[name] is not None}
        return {"": type(value).__name__} | {name: plain(item) for name, item in fields.items() if name not in APART}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items(), key=lambda each: str(each[0]))}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, frozenset | set):
        return sorted(map(plain, value))
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


class Pair:
    """Both stores, asked alike. ``log`` tells what was done, for whoever reads a failure."""

    def __init__(self, stores: tuple[OpenRecords, OpenRecords]) -> None:
        self.stores = stores
        self.log: list[str] = []

    async def both(self, told: str, do: Do) -> tuple[Any, Any]:
        """Do something in both stores and return what each says; an error of ours is an answer."""
        self.log.append(told)
        answers: list[Any] = []
        for store in self.stores:
            try:
                answers.append(await do(store))
            except AtollError as error:
                answers.append((type(error).__name__, error.message))
        one, other = map(plain, answers)
        assert one == other, "\n".join(self.log[-STEPS:])
        return answers[0], answers[1]


class Life:
    """One knowledge base and what happens to it."""

    def __init__(self, pair: Pair, kb: KbUid, chance: random.Random) -> None:
        self.pair, self.kb, self.chance = pair, kb, chance
        self.documents: list[DocumentUid] = []
        self.claims: list[tuple[Claim, Claim]] = []
        self.spoken = 0
        self.steps: list[Callable[[], Awaitable[None]]] = [
            self.upload, self.upload, self.upload, self.work, self.work, self.work, self.work, self.hold, self.late,
            self.fail, self.amend, self.delete, self.delete, self.purge, self.turn, self.limit, self.rest, self.look, self.look,
            self.walk, self.follow,
        ]  # fmt: skip

    def reader(self) -> Reader:
        held = self.chance.choice([None, None, frozenset(), frozenset({"red"}), frozenset({"red", "blue"})])
        return Reader(TENANT, self.kb, held)

    def document(self) -> DocumentUid:
        return self.chance.choice([*self.documents, DocumentUid("f" * 32)])

    async def upload(self) -> None:
        uploader = self.reader()
        may = sorted(uploader.labels) if uploader.labels is not None else LABELS
        fresh = [
            NewDocument(
                uid=DocumentUid(f"{self.chance.getrandbits(128):032x}"),
                name=self.chance.choice(NAMES),
                source=self.chance.choice(SOURCES),
                media_type="text/plain",
                bytes=self.chance.randrange(1, 99),
                sha256=f"s{self.chance.randrange(12)}",
                labels=tuple(self.chance.sample(may, self.chance.randrange(len(may) + 1) // 2)),
                metadata=self.chance.choice([None, {"year": self.chance.randrange(2020, 2024), "tags": ["a", "é"]}]),
            )
            for _ in range(self.chance.choice([1, 1, 3]))
        ]
        again = self.chance.random() < 0.3
        accepted, _ = await self.pair.both(
            f"accept {fresh} replace={again} by {uploader.labels}",
            lambda store: store.ports.catalogue.accept(uploader, fresh, replace=again, actor=ACTOR),
        )
        if not isinstance(accepted, tuple):
            self.documents += [each.uid for each in accepted.documents if each.uid not in self.documents]

    async def work(self) -> None:
        """Take a document as far as it goes."""
        document = self.document()
        batch = self._content(document)
        # What a reading finds in the file meets what uploads and amendments say of the same fields.
        told = self.chance.choice([{}, {"year": self.chance.randrange(2020, 2024), "by": self.chance.choice("ab")}])
        vectors = {entity_id(self.kb, key): np.full(4, at + 1, np.float16) for at, key in enumerate(KEYS)}

        async def journey(store: OpenRecords) -> Any:
            likely = None
            claim = await store.ports.ledger.claim(document, "w1", 60, key="parse-1")
            while claim is not None and claim.stage not in {Stage.PUBLISH, Stage.PURGE, Stage.RELABEL}:
                facts = None
                if claim.stage is Stage.PARSE:
                    warnings = (DocumentWarning("no_text", 2, "page 2 has no text"),)
                    facts = DocumentFacts(pages=2, warnings=warnings, how=HowRead("text", "its name", None, told))
                if claim.stage is Stage.CHUNK:
                    facts = DocumentFacts(passages=len(batch.passages))
                if claim.stage is Stage.EMBED:
                    mentioned = Counter(mention.entity for mention in batch.mentions)
                    likely = sorted(await store.ports.contents.likely_shared(claim, mentioned))
                if claim.stage is Stage.STORE:
                    await store.ports.contents.store_batch(claim, batch, next_batch=1, done=2, total=2)
                claim = await store.ports.ledger.finish(claim, 60, units=1, facts=facts, key=f"{claim.stage}-2")
            if claim is not None and claim.stage is Stage.RELABEL:
                return claim, await store.ports.ledger.relabelled(claim, 60)
            if claim is None or claim.stage is Stage.PURGE:
                return claim
            wanted = await store.ports.contents.publish(claim, {})
            if isinstance(wanted, VectorsWanted):
                # Nobody else is at work, so that all is foreseen; a document may have passed the stage in an earlier run.
                assert likely is None or {name.id for name in wanted.entities} <= set(likely)
                return (likely, wanted, await store.ports.contents.publish(claim, vectors))
            return likely, wanted

        await self.pair.both(f"work on {document}", journey)

    def _content(self, document: DocumentUid) -> ContentBatch:
        passages, mentions, assertions = [], [], []
        for ordinal in range(self.chance.randrange(1, 4)):
            self.spoken += 1
            id_ = passage_id(document, ordinal)
            passages.append(
                Passage(
                    id=id_,
                    document=document,
                    ordinal=ordinal,
                    chunk=chunk_id(document, 0),
                    page=1 + ordinal % 2,
                    boxes=(Box(1.0, 2.0 + ordinal, 3.0, 4.0),),
                    char_start=10 * ordinal,
                    char_end=10 * ordinal + 9,
                    text=f"text {self.spoken}",
                    headings=("Part", f"{ordinal}"),
                )
            )
            named = self.chance.sample(KEYS, self.chance.randrange(4))
            mentions += [
                Mention(id_, entity_id(self.kb, key), key, key.title(), self.chance.choice(["PERSON", "ORG"]), at, (at, at + 3))
                for at, key in enumerate(named, 1)
            ]  # fmt: skip
            if len(named) > 1:
                head, tail = (entity_id(self.kb, key) for key in named[:2])
                assertions.append(Assertion(id_, 0, head, tail, ("meets",), f"{named[0]} meets {named[1]}", 0.5))
        chunk = Chunk(chunk_id(document, 0), document, 0, 0, 99, ("Part",))
        rows = np.ones((len(passages), 4), np.float16)
        return ContentBatch([chunk], passages, rows, mentions, assertions, np.ones((len(assertions), 4), np.float16))

    async def hold(self) -> None:
        """Take a stage and keep the claim."""
        document = self.document()
        claims = await self.pair.both(
            f"claim {document}", lambda store: store.ports.ledger.claim(document, "w2", 60, key="parse-1")
        )
        if claims[0] is not None:
            self.claims.append(claims)

    async def late(self) -> None:
        """Use a claim that may long have been lost."""
        if not self.claims:
            return
        held = dict(zip(self.pair.stores, self.claims.pop(self.chance.randrange(len(self.claims))), strict=True))
        await self.chance.choice([self._release, self._advance, self._finish, self._beat])(held)

    async def _release(self, held: dict[OpenRecords, Claim]) -> None:
        failed = self.chance.random() < 0.5
        await self.pair.both(
            "release", lambda store: store.ports.ledger.release(held[store], error="away", failed=failed)
        )

    async def _advance(self, held: dict[OpenRecords, Claim]) -> None:
        await self.pair.both("advance", lambda store: store.ports.ledger.advance(held[store], batch=1, done=1, total=2))

    async def _finish(self, held: dict[OpenRecords, Claim]) -> None:
        if next(iter(held.values())).stage in {Stage.STORE, Stage.PUBLISH, Stage.PURGE, Stage.RELABEL}:
            return  # they end by their own transactions
        claims = await self.pair.both(
            "finish", lambda store: store.ports.ledger.finish(held[store], 60, units=1, key="next-1")
        )
        if isinstance(claims[0], Claim):
            self.claims.append(claims)

    async def _beat(self, held: dict[OpenRecords, Claim]) -> None:
        await self.pair.both("beat", lambda store: store.ports.ledger.beat(held[store], 60))

    async def fail(self) -> None:
        document, quarantine = self.document(), self.chance.random() < 0.3
        error = DocumentError("DocumentUnreadable", Stage.PARSE, 3, "page 3 is broken")

        async def end(store: OpenRecords) -> Any:
            claim = await store.ports.ledger.claim(document, "w3", 60)
            if claim is not None and claim.stage not in {Stage.PURGE, Stage.RELABEL}:
                await store.ports.ledger.fail(claim, error, quarantine=quarantine)
            return claim

        await self.pair.both(f"fail {document}", end)

    async def amend(self) -> None:
        reader, document, chance = self.reader(), self.document(), self.chance
        amendment = Amendment(
            labels=chance.choice([None, (), ("red",), ("blue", "red")]),
            metadata=chance.choice([None, None, {"year": 2022}]),
            name=chance.choice([None, None, *NAMES]),
            source=chance.choice([None, None, "", "inbox"]),
        )
        await self.pair.both(
            f"amend {document} {amendment} by {reader.labels}",
            lambda store: store.ports.lifecycle.amend(reader, document, amendment, ACTOR),
        )

    async def delete(self) -> None:
        reader, document, dry = self.reader(), self.document(), self.chance.random() < 0.4
        await self.pair.both(
            f"delete {document} dry={dry} by {reader.labels}",
            lambda store: store.ports.lifecycle.delete(reader, document, dry_run=dry, actor=ACTOR),
        )

    async def purge(self) -> None:
        document = self.document()

        async def remove(store: OpenRecords) -> Any:
            claim = await store.ports.ledger.claim(document, "w4", 60)
            if claim is None or claim.stage is not Stage.PURGE:
                return claim
            went = []
            while True:
                entities = await store.ports.contents.purge_entities(claim, 1)
                went.append((entities, left := await store.ports.contents.purge_batch(claim, 1)))
                if not left:
                    break
            state = await store.ports.contents.purge_state(claim)
            if state.quiet:
                await store.ports.contents.purge_end(claim)
            return went, state

        await self.pair.both(f"purge {document}", remove)

    async def turn(self) -> None:
        """Cancel or retry."""
        reader, document = self.reader(), self.document()
        name = self.chance.choice(["cancel", "retry"])
        await self.pair.both(
            f"{name} {document}", lambda store: getattr(store.ports.lifecycle, name)(reader, document, ACTOR)
        )

    async def limit(self) -> None:
        quota = self.chance.choice([{}, {}, {"documents": 6}, {"bytes": 200}])
        await self.pair.both(
            f"quota {quota}",
            lambda store: store.ports.knowledge_bases.update(TENANT, self.kb[:8], settings=None, quota=quota, actor=ACTOR),
        )  # fmt: skip

    async def rest(self) -> None:
        """All leases run out."""
        self.pair.log.append("leases end")
        for store in self.pair.stores:
            store.tables.end_leases()

    async def look(self) -> None:
        """Read the lists."""
        reader, document = self.reader(), self.document()
        status = self.chance.choice([None, None, Status.READY, Status.QUEUED])
        name = self.chance.choice([None, "*.txt", "[mp]*"])
        filters = self.chance.choice(
            [
                Filters(),
                Filters(names=("*.txt",)),
                Filters(labels=("red",)),
                Filters(metadata={"year": {"gte": 2021, "lte": 2022}}),
            ]
        )
        points = [passage_id(document, ordinal) for ordinal in range(4)]
        reads: list[Do] = [
            lambda store: store.ports.catalogue.page(reader, status=status, name=name, limit=5, before=None),
            lambda store: store.ports.catalogue.get(reader, document),
            lambda store: store.ports.passages.scope(reader, filters),
            lambda store: store.ports.passages.visible(reader, [*self.documents]),
            lambda store: store.ports.passages.hydrate(reader, points),
            lambda store: store.ports.passages.of_document(reader, document, after=0, limit=5),
            lambda store: store.ports.passages.of_page(reader, document, 1),
            lambda store: store.ports.knowledge_bases.get(TENANT, self.kb[:8]),
            lambda store: store.ports.catalogue.census(),
        ]
        for at, read in enumerate(self.chance.sample(reads, 4)):
            await self.pair.both(f"look {at} at {document} as {reader.labels}", read)

    async def walk(self) -> None:
        """Read the graph."""
        reader = self.reader()
        include = None if self.chance.random() < 0.7 else tuple(sorted(self.documents)[:3])
        scope = GraphScope(reader, include)
        seeds: list[PassageId] = [passage_id(uid, 0) for uid in sorted(self.documents)[:4]]
        entities = [entity_id(self.kb, key) for key in KEYS]
        vectors = self.chance.random() < 0.5
        reach = Reach(max_df=self.chance.choice([2, 100]), max_passages=self.chance.choice([3, 100]), vectors=vectors)
        relations = [relation_id(seed, 0) for seed in seeds]
        reads: list[Do] = [
            lambda store: _sorted(
                store.ports.graph.neighbourhood(scope, seeds, entities=entities[:2], keys=KEYS[4:], reach=reach)
            ),
            lambda store: store.ports.graph.shared(reader, entities),
            lambda store: store.ports.graph.annotations(scope, seeds),
            lambda store: store.ports.graph.stated(scope, relations),
            lambda store: store.ports.atlas.entities(reader, text="a", type_=None, limit=4),
            lambda store: store.ports.atlas.entity(reader, entities[0]),
            lambda store: store.ports.atlas.around(reader, entities[:2], limit=3),
            lambda store: store.ports.atlas.between(reader, entities, limit=5),
            lambda store: store.ports.atlas.census(reader),
            lambda store: store.ports.atlas_export.nodes(reader, after=None, limit=4),
            lambda store: store.ports.atlas_export.together(reader, after=None, limit=9),
            lambda store: store.ports.atlas_export.assertions(reader, after=None, limit=9),
        ]
        for at, read in enumerate(self.chance.sample(reads, 4)):
            await self.pair.both(f"walk {at} as {reader.labels}", read)

    async def follow(self) -> None:
        """Read what changed, from the beginning."""
        reader = self.reader()
        await self.pair.both("follow", lambda store: store.ports.changes.after(reader, 0, limit=1000))
        await self.pair.both("among", lambda store: _by_uid(store.ports.changes.among(reader, self.documents)))


async def _sorted(reading: Awaitable[Any]) -> Any:
    """Return a neighbourhood with its mentions in order: stores may give them in any."""
    near = await reading
    in_order = {
        name: sorted(zip(which.passage.tolist(), which.entity.tolist(), which.tf.tolist(), strict=True))
        for name, which in (("seed_mentions", near.seed_mentions), ("mentions", near.mentions))
    }
    rest = {each.name: getattr(near, each.name) for each in dataclasses.fields(near)}
    return plain({**rest, **in_order})


async def _by_uid(reading: Awaitable[Any]) -> Any:
    return sorted(await reading, key=lambda document: str(document.uid))


@pytest.fixture
async def pair(neo4j_server, tmp_path):
    """Both stores with knowledge bases of the same uids: entities have ids by them."""
    neo4j_server.wipe()
    pair = Pair((open_sqlite(tmp_path / "sqlite"), open_neo4j(neo4j_server, tmp_path / "neo4j")))
    made = datetime(2026, 1, 1, tzinfo=UTC)
    uids = [f"{at:08x}" * 4 for at in range(1, ROUNDS + 1)]
    kbs = tuple(KbRecord(KbUid(uid), TENANT, uid[:8], "en", 0, 0, {}, {}, made) for uid in uids)
    accounts = Accounts((Tenant(TENANT, "acme", {}, made),), (), kbs, None)
    for store in pair.stores:
        await store.ports.restoration.begin(accounts)
        await store.ports.restoration.end(accounts)
    yield pair
    for store in pair.stores:
        await store.ports.aclose()


async def live_through(pair: Pair, seconds: float) -> None:
    """Live through one knowledge base after the other, and compare everything that is kept after each."""
    seed = SEED or int(new_uid()[:8], 16)
    print(f"ATOLL_TEST_SEED={seed}")
    chance, until = random.Random(seed), time.monotonic() + seconds
    for kb in [kb["uid"] for kb in pair.stores[0].tables.kbs()]:
        life = Life(pair, KbUid(kb), chance)
        for _ in range(STEPS):
            if time.monotonic() > until:
                break
            await chance.choice(life.steps)()
        await compare(pair)
        if time.monotonic() > until:
            break


async def compare(pair: Pair) -> None:
    """Everything that is kept is the same, and counters are right."""
    dumps, facts = [], []
    for store in pair.stores:
        tables = store.tables
        dumps.append(await canonical.dump(tables, NO_FILES, MemoryGraphIndex()))
        facts.append(
            [
                (kb["uid"], kb["revision"], sorted((row["uid"], row["version"]) for row in tables.documents(kb["uid"])))
                for kb in tables.kbs()
            ]
        )
    assert dumps[0] == dumps[1], "\n".join(pair.log[-STEPS:])
    assert facts[0] == facts[1], "\n".join(pair.log[-STEPS:])
    assert dumps[0]["recount"] == []
    one, other = (canonical.embeddings(store.tables) for store in pair.stores)
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.slow
async def test_neo4j_and_sqlite_answer_and_keep_the_same(pair):
    await live_through(pair, SECONDS)


@pytest.mark.soak
async def test_neo4j_and_sqlite_answer_and_keep_the_same_for_long(pair):
    await live_through(pair, 600.0)
