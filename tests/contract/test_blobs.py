"""Uploaded bytes: read, asked for, restored whole or not at all, and nowhere told as a path."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import atoll.ports
from atoll.adapters.file_blobs import FileBlobs
from atoll.domain.ids import DocumentUid, KbUid
from atoll.errors import NotFound

KB, UID = KbUid("k" * 32), DocumentUid("d" * 32)


@pytest.fixture
def blobs(tmp_path):
    store = FileBlobs(tmp_path, min_free_bytes=0)
    yield store
    store.close()


async def test_an_upload_is_read_until_it_is_removed(blobs):
    intake = await blobs.receive(KB)
    file = await intake.open(UID)
    await file.write(b"The plan.")
    await file.close()
    assert not await blobs.exists(KB, UID), "nobody sees it before it is kept"
    await intake.keep()
    await intake.settle([UID])
    assert await blobs.exists(KB, UID)
    with await blobs.open(KB, UID) as opened:
        await blobs.remove(KB, UID)
        assert opened.read() == b"The plan.", "who has opened it reads it to its end"
    assert not await blobs.exists(KB, UID)
    with pytest.raises(NotFound):
        await blobs.open(KB, UID)


async def test_what_is_restored_is_there_whole_or_not_at_all(blobs):
    async def break_off():
        async with blobs.restore(KB, UID) as file:
            file.write(b"half")
            raise ValueError("broken off")

    with pytest.raises(ValueError, match="broken"):
        await break_off()
    assert not await blobs.exists(KB, UID)
    for content in (b"first", b""):
        async with blobs.restore(KB, UID) as file:
            file.write(content)
        with await blobs.open(KB, UID) as opened:
            assert opened.read() == content


def test_no_port_of_documents_speaks_of_paths():
    folder = Path(atoll.ports.__file__).parent
    for name in ("blobs", "artefacts", "drawings"):
        tree = ast.parse((folder / f"{name}.py").read_text())
        assert not {"Path", "pathlib"} & {
            getattr(node, "id", getattr(node, "module", None)) for node in ast.walk(tree)
        }, name
