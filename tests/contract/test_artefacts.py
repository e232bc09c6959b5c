"""Stage outputs: whole or not at all, gone with their document, and those of an earlier Atoll found by its names."""

from __future__ import annotations

import json

import pytest

from atoll.adapters.file_artefacts import FileArtefacts
from atoll.adapters.file_blobs import FileBlobs
from atoll.domain.artefact import DOCUMENT, PAGE_SIZES, RENDITION, UNKEYED, Artefact
from atoll.domain.document import Stage
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.page_archive import ARCHIVE, batch_part
from atoll.errors import ArtefactMissing, NotFound

KB, UID = KbUid("k" * 32), DocumentUid("d" * 32)
PARSED, EMBEDDED = Artefact(KB, UID, Stage.PARSE, "aa"), Artefact(KB, UID, Stage.EMBED, "bb")


@pytest.fixture
def root(tmp_path):
    (tmp_path / KB / UID).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def artefacts(root):
    return FileArtefacts(root)


async def test_parts_are_kept_by_document_stage_key_and_part(artefacts):
    await artefacts.put(PARSED, DOCUMENT, b"one")
    await artefacts.put(Artefact(KB, UID, Stage.PARSE, "other"), DOCUMENT, b"two")
    await artefacts.put(PARSED, DOCUMENT, b"three")
    assert await artefacts.get(PARSED, DOCUMENT) == b"three"
    assert await artefacts.exists(PARSED, DOCUMENT)
    assert not await artefacts.exists(EMBEDDED, DOCUMENT)
    with await artefacts.open(PARSED, DOCUMENT) as file:
        assert file.read() == b"three"


async def test_what_is_not_there_names_the_stage_that_has_to_make_it(artefacts):
    with pytest.raises(ArtefactMissing) as caught:
        await artefacts.get(EMBEDDED, ARCHIVE)
    assert caught.value.stage == Stage.EMBED
    with pytest.raises(ArtefactMissing):
        await artefacts.open(PARSED, RENDITION)


async def test_a_draft_becomes_a_part_when_its_block_ends_well(artefacts):
    async with artefacts.draft(PARSED, RENDITION) as file:
        file.write(b"%PDF")
        assert not await artefacts.exists(PARSED, RENDITION)
    assert await artefacts.get(PARSED, RENDITION) == b"%PDF"


async def test_a_draft_that_fails_or_stays_empty_leaves_nothing(artefacts, root):

    async def fail():
        async with artefacts.draft(PARSED, RENDITION) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with artefacts.draft(PARSED, RENDITION):
        pass
    assert not await artefacts.exists(PARSED, RENDITION)
    assert [path for path in root.rglob("*") if path.is_file()] == []


async def test_a_killed_attempt_s_draft_goes_with_the_next_one(artefacts, root):
    await artefacts.put(PARSED, DOCUMENT, b"one")
    (kept,) = (path for path in root.rglob("*") if path.is_file())
    stale = kept.with_name(f"{kept.name}.dead.tmp")
    stale.write_bytes(b"half")
    assert await artefacts.names(KB, UID) == [kept.relative_to(root / KB / UID / "artefacts").as_posix()]
    await artefacts.put(PARSED, DOCUMENT, b"two")
    assert not stale.exists()


async def test_a_removed_document_does_not_come_back(artefacts, root):
    blobs = FileBlobs(root, min_free_bytes=0)
    await artefacts.put(PARSED, DOCUMENT, b"one")
    await blobs.remove(KB, UID)
    with pytest.raises(NotFound):
        await artefacts.put(PARSED, DOCUMENT, b"late")
    with pytest.raises(ArtefactMissing):
        await artefacts.get(PARSED, DOCUMENT)
    assert not (root / KB).exists()
    blobs.close()


async def test_a_document_s_outputs_pass_through_a_backup_by_their_names(artefacts, tmp_path_factory):
    await artefacts.put(PARSED, DOCUMENT, b"parsed")
    await artefacts.put(EMBEDDED, batch_part(0), b"vectors")
    elsewhere = FileArtefacts(tmp_path_factory.mktemp("other"))
    for name in await artefacts.names(KB, UID):
        with await artefacts.read(KB, UID, name) as saved:
            async with elsewhere.restore(KB, UID, name) as file:
                file.write(saved.read())
    assert await elsewhere.get(PARSED, DOCUMENT) == b"parsed"
    assert await elsewhere.get(EMBEDDED, batch_part(0)) == b"vectors"
    for name in ("../original", "/etc/passwd", "a/../../original"):
        with pytest.raises(NotFound):
            await elsewhere.read(KB, UID, name)


async def test_what_readers_need_of_a_document_of_an_earlier_atoll_is_found(artefacts, root):
    folder = root / KB / UID / "artefacts"
    (folder / "pages.0123").mkdir(parents=True)
    (folder / "rendition.pdf").write_bytes(b"%PDF")
    (folder / "pages.json").write_bytes(b"[[595, 842]]")
    (folder / "page_vectors.json").write_text(json.dumps({"folder": "pages.0123"}))
    (folder / "pages.0123" / "000000.npz").write_bytes(b"vectors")
    parsed, embedded = Artefact(KB, UID, Stage.PARSE, UNKEYED), Artefact(KB, UID, Stage.EMBED, UNKEYED)
    assert await artefacts.get(parsed, RENDITION) == b"%PDF"
    assert await artefacts.get(parsed, PAGE_SIZES) == b"[[595, 842]]"
    assert json.loads(await artefacts.get(embedded, ARCHIVE)) == {"folder": "pages.0123"}
    assert await artefacts.get(embedded, batch_part(0)) == b"vectors"
    assert not await artefacts.exists(parsed, DOCUMENT)
    with pytest.raises(ArtefactMissing):
        await artefacts.get(embedded, batch_part(7))
