"""An upload from a front that is no HTTP route."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from atoll.access.limits import Gate
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.principal import Actor
from atoll.errors import BadInput, DocumentTooLarge, Forbidden, UnsupportedMediaType
from atoll.intake.accept import UploadLimits, Uploads
from tests.support.house import House
from tests.support.readers import reader_of

ACTOR = Actor(subject="user:ada", request_id="r1")


@pytest.fixture
async def house(tmp_path: Path):
    house = House(tmp_path / "house", vectors=MemoryGraphIndex())
    yield house
    await house.close_stores()


def uploads(house: House, rung: list[str], **limits: int) -> Uploads:
    return Uploads(
        blobs=house.blobs,
        passwords=house.passwords,
        catalogue=house.catalogue,
        ring=rung.extend,
        turn=Gate(2, "uploads").enter,
        limits=UploadLimits(**{"max_bytes": 1000, "max_documents": 2, **limits}),
    )


def files(house: House) -> list[str]:
    root = house.folder / "blobs"
    return [path.name for path in root.rglob("*") if path != root / ".incoming"]


async def test_documents_are_recorded_as_they_were_described_and_rung_for(house: House) -> None:
    (kb,) = await house.open("main")
    rung: list[str] = []
    async with uploads(house, rung).begin(reader_of(kb)) as upload:
        file = await upload.file("folder/plan.txt")
        for piece in (b"The ", b"", b"plan."):
            await file.write(piece)
        await file.end()
        upload.describe(labels=["staff", " staff "], metadata={"year": 1902}, source="archive")
        accepted = await upload.commit(replace=False, actor=ACTOR)
    (document,) = accepted.documents
    assert (document.name, document.labels, document.source) == ("plan.txt", ("staff",), "archive/folder")
    assert (document.metadata, document.bytes, upload.bytes) == ({"year": 1902}, 9, 9)
    assert rung == [document.uid]
    assert house.blobs.path(kb.uid, document.uid).read_bytes() == b"The plan."
    events = await house.audit.page(kb.tenant, since=None, action=None, actor="user:ada", after=0, limit=9)
    assert [event.action for event in events] == ["document.accepted"]


@pytest.mark.parametrize("wrong", ["empty", "binary", "too large", "one too many", "label", "nothing", "the caller"])
async def test_what_is_not_committed_leaves_nothing(house: House, wrong: str) -> None:
    (kb,) = await house.open("main")
    rung: list[str] = []
    expected = {
        "empty": BadInput, "binary": UnsupportedMediaType, "too large": DocumentTooLarge, "one too many": BadInput,
        "label": Forbidden, "nothing": BadInput, "the caller": KeyError,
    }[wrong]  # fmt: skip

    async def send() -> None:
        async with uploads(house, rung).begin(reader_of(kb, frozenset({"held"}))) as upload:
            for name in ("a.txt", "b.txt", "c.txt")[: {"one too many": 3, "nothing": 0}.get(wrong, 1)]:
                file = await upload.file(name)
                await file.write({"empty": b"", "binary": b"\x7fELF\0\0", "too large": b"x" * 1001}.get(wrong, b"text"))
                await file.end()
            upload.describe(labels=["other"] if wrong == "label" else ["held"], metadata={}, source=None)
            if wrong == "the caller":
                raise KeyError
            await upload.commit(replace=False, actor=ACTOR)

    with pytest.raises(expected):
        await send()
    assert files(house) == []
    assert rung == []


async def test_a_caller_that_goes_away_does_not_part_files_and_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kb,) = await house.open("main")
    rung: list[str] = []
    taking, begun, accept = uploads(house, rung), asyncio.Event(), house.catalogue.accept

    async def slowly(*arguments: object, **more: object) -> object:
        begun.set()
        await asyncio.sleep(0.05)
        return await accept(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(house.catalogue, "accept", slowly)

    async def send() -> None:
        async with taking.begin(reader_of(kb)) as upload:
            await upload.text("a.md", "# A heading", labels=[], metadata={}, source=None)
            await upload.commit(replace=False, actor=ACTOR)

    task = asyncio.create_task(send())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await taking.ended() == 1
    page = await house.catalogue.page(reader_of(kb), status=None, name=None, limit=9, before=None)
    assert [(each.name, each.media_type) for each in page.documents] == [("a.md", "text/markdown")]
    assert rung == [page.documents[0].uid]
    assert house.blobs.path(kb.uid, page.documents[0].uid).exists()
