"""An installation of commit 3eaac8c under this Atoll: its data directory on SQLite, its backup on Neo4j.

Whoever changes what is kept extends this test: the old installation must be served as it is, at once, lose nothing, and
be deleted exactly.
"""

from __future__ import annotations

import json
import sqlite3

import orjson
import pytest

from atoll.access.keys import Authenticator
from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.backup.codec import load_accounts
from atoll.backup.layout import ACCOUNTS, lines
from atoll.backup.restore import restore
from atoll.domain import media
from atoll.domain.artefact import PAGE_SIZES, RENDITION, UNKEYED, artefact_of
from atoll.domain.document import Stage, Status
from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import KeyId, document_id
from atoll.domain.page_archive import ARCHIVE, PageArchive, batch_of, batch_part
from atoll.domain.page_archive import unpacked as unpacked_pages
from atoll.domain.reading import UNTOLD, older_line
from atoll.errors import NotAuthenticated, NotFound
from atoll.ingest.rebuild.collections import Reindex
from atoll.ingest.rebuild.graph import EntityCollection, RelationCollection
from atoll.ingest.rebuild.pages import PageCollection
from atoll.ingest.rebuild.passages import PassageCollection
from tests.support import canonical
from tests.support import house as houses
from tests.support.house import ACTOR, House
from tests.support.old_installation import unpacked
from tests.support.readers import reader_of
from tests.support.records import STORES, open_neo4j

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

#: Of the model that the old installation embedded with.
OLD_DIMENSIONS = 384


@pytest.fixture(params=STORES)
async def old(request, tmp_path, monkeypatch):
    """The old installation, opened by this Atoll; ``facts`` are what its users know."""
    monkeypatch.setattr(houses, "DIMENSIONS", OLD_DIMENSIONS)
    installation = unpacked(tmp_path)
    if request.param == "sqlite":
        opened = House(installation.data, page_embedder=MemoryPageEmbedder())
    else:
        server = request.getfixturevalue("neo4j_server")
        server.wipe()
        records = open_neo4j(server, tmp_path / "restored")
        opened = House(tmp_path / "restored", records=records, page_embedder=MemoryPageEmbedder())
        await restore(
            installation.backup, opened.restoration, opened.restored, opened.blobs, opened.artefacts,
            pepper=installation.pepper,
        )  # fmt: skip
    await opened.vectors.prepare()
    opened.installation, opened.facts = installation, installation.facts
    opened.tenant = await opened.tenants.ensure("default")
    opened.main = await opened.knowledge_bases.get(opened.tenant, "default")
    yield opened
    await opened.close()


async def rebuilt(house):
    """Fill the vector index from what is stored, as a worker does by itself."""
    collections = {
        "passages": PassageCollection(house.index_source, house.vectors, house.sparse, dimensions=OLD_DIMENSIONS),
        "entities": EntityCollection(house.index_source, house.vectors),
        "relations": RelationCollection(house.index_source, house.vectors),
        "pages": PageCollection(house.index_source, house.page_index, house.artefacts),
    }
    work = Reindex(house.index_source, collections, embedding=await house.index_source.embedding("of today"))
    return [progress async for progress in work.rebuild()]


async def listed(house, kb, labels=None):
    page = await house.catalogue.page(reader_of(kb, labels), status=None, name=None, limit=100, before=None)
    return {document.name: document for document in page.documents}


async def test_documents_labels_versions_and_texts_are_there_at_once(old):
    documents = await listed(old, old.main)
    for name, fact in old.facts["documents"].items():
        found = documents[name]
        assert (found.uid, found.version, found.passages) == (fact["id"], fact["version"], fact["passages"])
        assert (found.status, list(found.labels)) == (Status.READY, fact["labels"])
        texts = await old.passages.of_document(reader_of(old.main), found.uid, after=-1, limit=100)
        assert len(texts) == fact["passages"]
        assert all(passage.places(0, len(passage.text)) for passage in texts)
    assert "crane lifts 5 tons" in " ".join(
        passage.text
        for passage in await old.passages.of_document(reader_of(old.main), documents["plan.md"].uid, after=-1, limit=9)
    )
    assert "gone.txt" not in documents
    assert "staff.txt" not in await listed(old, old.main, frozenset({"public"}))
    with pytest.raises(NotFound):
        await old.catalogue.get(reader_of(old.main, frozenset({"public"})), documents["staff.txt"].uid)
    other = await old.knowledge_bases.get(old.tenant, "other")
    assert set(await listed(old, other)) == {"bruecke.txt"}


async def test_keys_hold_as_they_did_and_the_audit_trail_goes_on(old):
    authenticator, keys = Authenticator(old.keys, old.installation.pepper), old.facts["keys"]
    assert (await authenticator.by_secret(keys["owner"])).labels is None
    assert (await authenticator.by_secret(keys["staff"])).labels == frozenset({"staff"})
    with pytest.raises(NotAuthenticated):
        await authenticator.by_secret(keys["revoked"])
    before = await old.archive.events(after=0, limit=1000)
    assert len(before) >= old.facts["audit"]
    assert {"document.accepted", "document.deleted", "key.revoked"} <= {event.action for event in before}
    await old.upload(old.main, "new.txt", "Something new.")
    assert (await old.archive.events(after=before[-1].id, limit=10))[0].action == "document.accepted"


async def test_keys_that_held_knowledge_bases_by_name_hold_them_by_id(tmp_path, request, old):
    """Names that are there become ids; one that is not there reaches nothing, whatever is made under it later."""
    installation, names = unpacked(tmp_path / "limited"), ["default", "nowhere"]
    reader = KeyId(old.facts["keys"]["reader"].split("_")[1])
    saved = [
        {**each, "kbs": names} if each.get("id") == reader else each for each in lines(installation.backup / ACCOUNTS)
    ]
    (restored,) = [key for key in load_accounts(saved).keys if key.id == reader]
    assert restored.kbs == {old.main.uid}
    if request.node.callspec.params["old"] == "sqlite":
        with sqlite3.connect(installation.data / "records.sqlite3") as database:
            database.execute("UPDATE api_key SET kbs = ? WHERE id = ?", (json.dumps(names), reader))
        limited = House(installation.data)
    else:
        server = request.getfixturevalue("neo4j_server")
        server.rows("MATCH (k:ApiKey {id: $id}) SET k.kbs = $names", id=reader, names=names)
        for _ in range(2):  # a migration may run twice
            server.rows("MATCH (s:Schema {name: 'atoll'}) SET s.version = 6")
            old.records.migrate()
        limited = House(tmp_path / "again", records=open_neo4j(server, tmp_path / "again"))
    found = await Authenticator(limited.keys, installation.pepper).by_secret(old.facts["keys"]["reader"])
    assert found.kbs == {old.main.uid}
    assert (await limited.keys.find(KeyId(old.facts["keys"]["owner"].split("_")[1]))).kbs is None
    await limited.close()


async def test_pages_of_old_documents_are_found_by_their_old_names(old):
    documents = await listed(old, old.main)
    for name in old.facts["documents"]:
        document = documents[name]
        parsed = artefact_of(document.kb, document.uid, Stage.PARSE, document.artefacts)
        embedded = artefact_of(document.kb, document.uid, Stage.EMBED, document.artefacts)
        assert (parsed.key, await old.artefacts.exists(parsed, PAGE_SIZES)) == (UNKEYED, True)
        assert await old.artefacts.exists(parsed, RENDITION) is (document.media_type not in media.PAGED)
        archive = PageArchive.from_json(orjson.loads(await old.artefacts.get(embedded, ARCHIVE)))
        assert archive.pages == document.pages
        assert 1 in unpacked_pages(await old.artefacts.get(embedded, batch_part(batch_of(1))))


async def test_the_index_is_made_again_without_a_model_and_answers(old, monkeypatch):
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(old.embedder, "embed", lambda *_, **__: asked.append("embed"))
        patch.setattr(old.embedder, "tokenize", lambda *_, **__: asked.append("tokenize"))
        await rebuilt(old)
    assert asked == []
    scope = await old.passages.scope(reader_of(old.main), Filters())
    assert (
        await old.vectors.count(old.main.uid)
        == scope.passages
        == sum(fact["passages"] for fact in old.facts["documents"].values())
    )
    assert await old.page_index.count(old.main.uid) > 0
    # The twin of the embedder is not the model of the stored vectors; words are found all the same.
    assert "crane lifts 5 tons" in " ".join(each.text for each in await old.search(old.main, "crane tons"))
    found = await old.search(old.main, "Olof Strand engineer", labels=frozenset({"public"}))
    assert "staff.txt" not in {each.document for each in found}


async def test_a_half_read_document_is_read_to_its_end_by_today_s_pipeline(old, request):
    if request.node.callspec.params["old"] == "neo4j":
        pytest.skip("the backup was taken before that document was uploaded")
    half = old.facts["half"]
    assert half["status"] == "processing"
    old.tables.end_leases()
    await old.doorbell.ring(await old.reconciliation.overdue(10, quiet_seconds=0))
    await old.work()
    document = await old.catalogue.get(reader_of(old.main), half["id"])
    assert (document.status, set(document.artefacts)) == (
        Status.READY,
        {Stage.PARSE, Stage.CHUNK, Stage.EXTRACT, Stage.EMBED},
    )
    assert document.passages == len(old.tables.passages(document.uid)) > 0
    assert await old.vectors.count(old.main.uid, [document.uid]) == document.passages
    assert old.tables.recount() == []


async def test_old_documents_are_read_again_and_then_are_as_if_read_today(old, tmp_path):
    await rebuilt(old)
    documents, kbs = await listed(old, old.main), (old.main, await old.knowledge_bases.get(old.tenant, "other"))
    ready = [each for kb in kbs for each in (await listed(old, kb)).values() if each.status is Status.READY]
    assert {(each.name, each.read) for each in ready} == {(each.name, UNTOLD) for each in ready}
    assert await old.catalogue.older() == len(ready) == len(old.facts["documents"]) + 1
    assert older_line(5) == (
        "5 documents were read by an older pipeline; `atoll documents reprocess --all` reads them again"
    )
    for each in ready:
        queued = await old.lifecycle.reprocess(
            reader_of(next(kb for kb in kbs if kb.uid == each.kb)), each.id, Stage.EMBED, ACTOR
        )
        await old.doorbell.ring([queued.worked_on])
    await old.work()
    old.tables.end_leases()
    await old.work()
    # This parser reads UTF-8 alone: what it cannot read again stays as it was, and says so.
    left = {"empty-page.pdf", "bruecke.txt"}
    for each in ready:
        now = await old.catalogue.get(reader_of(next(kb for kb in kbs if kb.uid == each.kb)), each.id)
        assert (now.status, now.version, now.labels) == (Status.READY, each.version, each.labels)
        assert (now.read.is_older, now.error is not None, now.uid == each.uid) == (((each.name in left),) * 3)
    assert await old.catalogue.older() == len(left)
    found = await old.search(old.main, "crane tons", mode=Mode.VISUAL)
    assert documents["plan.md"].id in {document_id(each.document_id) for each in found}
    fresh = House(tmp_path / "fresh", page_embedder=MemoryPageEmbedder())
    (kb,) = await fresh.open("main")
    original = old.blobs.path(old.main.uid, (await listed(old, old.main))["plan.md"].uid).read_bytes()
    await fresh.upload(kb, "plan.md", original)
    await fresh.work()
    one, other = [
        next(each for each in content["documents"] if each["name"] == "plan.md")
        for content in [
            (await canonical.dump(house.tables, house.folder / "blobs", house.vectors, house.page_index))[name]
            for house, name in ((old, "default"), (fresh, "main"))
        ]
    ]
    await fresh.close()
    assert one == other
    assert old.tables.recount() == []


async def test_old_documents_are_deleted_exactly(old):
    await rebuilt(old)
    before = await canonical.dump(old.tables, old.blobs.path(old.main.uid, "-").parents[2], old.vectors)
    documents = await listed(old, old.main)
    await old.delete(old.main, documents["staff.txt"].uid)
    await old.work()
    after = await canonical.dump(old.tables, old.blobs.path(old.main.uid, "-").parents[2], old.vectors)
    kept = [each for each in before["default"]["documents"] if each["name"] != "staff.txt"]
    assert after["default"]["documents"] == kept
    assert after["recount"] == []
    assert after["folders"] == before["folders"] - 1
    for name, kb in (("default", old.main), ("other", await old.knowledge_bases.get(old.tenant, "other"))):
        for document in (await listed(old, kb)).values():
            await old.delete(kb, document.uid)
        old.tables.end_leases()
        await old.work()
        assert await old.vectors.count(kb.uid) == 0, name
    assert {table: count for table, count in old.tables.counts().items() if count} == {}
    assert [path for path in old.blobs.path(old.main.uid, "-").parents[2].glob("*/*") if path.is_dir()] == []
