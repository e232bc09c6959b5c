"""Uploads as they come: odd names, fields in any order, bodies that are too large, broken or cut off."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from atoll.domain.principal import Role
from atoll.errors import QuotaExceeded, StorageFull
from atoll.intake.names import clean_name
from gateway.dependencies import Limits
from tests.support.readers import reader_of
from tests.unit.gateway.conftest import Site, upload

PATH = "/v1/kbs/main/documents"
BOUNDARY = "frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name: str, value: bytes, *, filename: str | None = None) -> bytes:
    disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + value + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


async def in_pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.txt", "boot.txt"),
        ("C:\\reports\\plan.md", "plan.md"),
        ("a\x00b\nc.txt", "abc.txt"),
        ("Cafe\u0301.txt", "Café.txt"),
        ("\u202etxt.exe.txt", "txt.exe.txt"),
        ("  spaced name .txt", "spaced name .txt"),
        ("Отчёт за год.txt", "Отчёт за год.txt"),
        ("年度報告.txt", "年度報告.txt"),
        ("연간 보고서.txt", "연간 보고서.txt"),
        ("التقرير السنوي.txt", "التقرير السنوي.txt"),
        ("דוח שנתי.txt", "דוח שנתי.txt"),
        ("वार्षिक रिपोर्ट.txt", "वार्षिक रिपोर्ट.txt"),
        ("می‌خواهم.txt", "می‌خواهم.txt"),
    ],
)
async def test_names_are_cleaned_and_kept_in_any_script(owner: httpx.AsyncClient, given: str, name: str) -> None:
    body = await upload(owner, given, "some text") if "\\" not in given and "\n" not in given else None
    assert clean_name(given) == name
    if body is not None and given.isprintable():
        assert body["documents"][0]["name"] == name


@pytest.mark.parametrize("size", [1, 7, 64 * 1024])
async def test_fields_may_follow_the_file_and_arrive_in_any_pieces(owner: httpx.AsyncClient, size: int) -> None:
    body = (
        part("file", b"first text", filename="a.txt")
        + part("metadata", b'{"year": 1902}')
        + part("file", b"second text", filename="b.txt")
        + part("labels", b"x,y")
        + part("replace", b"false")
        + END
    )
    answer = await owner.post(PATH, content=in_pieces(body, size), headers=FORM)
    assert answer.status_code == 202, answer.text
    documents = answer.json()["documents"]
    assert [document["name"] for document in documents] == ["a.txt", "b.txt"]
    for document in documents:
        assert (document["labels"], document["metadata"]) == (["x", "y"], {"year": 1902})


BROKEN = {
    "cut off": (part("file", b"text", filename="a.txt")[:-4], 400, "cut off"),
    "no end": (part("file", b"text", filename="a.txt"), 400, "cut off"),
    "no file": (part("labels", b"a") + END, 400, "no file"),
    "empty file": (part("file", b"", filename="a.txt") + END, 400, "empty"),
    "no name": (part("file", b"text", filename="") + END, 400, "name"),
    "not a file": (part("file", b"text") + END, 400, "file with a name"),
    "unknown field": (part("colour", b"red") + END, 400, "colour"),
    "metadata is no object": (part("file", b"t", filename="a.txt") + part("metadata", b"[1]") + END, 400, "object"),
    "metadata is no JSON": (part("file", b"t", filename="a.txt") + part("metadata", b"{") + END, 400, "JSON"),
    "replace is no boolean": (part("file", b"t", filename="a.txt") + part("replace", b"yes") + END, 400, "true or"),
    "a field twice": (part("metadata", b"{}") * 2 + part("file", b"t", filename="a.txt") + END, 400, "twice"),
    "huge field": (part("metadata", b"x" * 70_000) + END, 400, "64 KiB"),
    "garbage": (b"what is this", 400, "form"),
    "binary": (part("file", b"\x7fELF\0\0", filename="a.txt") + END, 415, "binary"),
    "unknown kind": (part("file", b"text", filename="a.xyz") + END, 415, ".xyz"),
    "one bad of two": (part("file", b"t", filename="a.txt") + part("file", b"", filename="b.txt") + END, 400, "empty"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_broken_upload_leaves_nothing_behind(site: Site, owner: httpx.AsyncClient, case: str) -> None:
    body, status, word = BROKEN[case]
    answer = await owner.post(PATH, content=body, headers=FORM)
    assert (answer.status_code, word in answer.json()["detail"]) == (status, True), answer.text
    assert site.files() == []
    assert (await owner.get(PATH)).json()["documents"] == []


async def test_other_bodies_are_refused(site: Site, owner: httpx.AsyncClient) -> None:
    answer = await owner.post(PATH, content=b"text", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    answer = await owner.post(PATH, content=b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    for body in (b"{", b"[]", b'{"documents": []}', b'{"documents": [{"name": "a", "text": "\\ud800"}]}'):
        answer = await owner.post(PATH, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, body
    assert site.files() == []


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[tuple[Site, httpx.AsyncClient]]:
    """A site whose uploads may have a mebibyte."""
    site = Site(tmp_path / "small")
    limits = Limits(max_upload_bytes=2**20, max_documents_per_upload=3, allowed_hosts=("testserver",))
    await site.open(limits=limits)
    async with site.client(await site.key()) as client:
        yield site, client
    site.house.database.close()
    site.house.blobs.close()


@pytest.mark.parametrize("announced", [True, False])
async def test_over_the_cap_is_413_as_soon_as_it_is_passed(
    small: tuple[Site, httpx.AsyncClient], announced: bool
) -> None:
    site, client = small
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield part("file", b"", filename="a.txt")[:-2]
        while sent < 40 * 2**20:
            sent += 2**16
            yield b"x" * 2**16

    headers = dict(FORM) | ({"Content-Length": str(50 * 2**20)} if announced else {})
    answer = await client.post(PATH, content=endless(), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert site.files() == []


async def test_exactly_the_cap_is_taken(small: tuple[Site, httpx.AsyncClient]) -> None:
    _, client = small
    assert (await upload(client, "a.txt", b"x" * 2**20))["documents"][0]["bytes"] == 2**20
    answer = await client.post(PATH, files={"file": ("b.txt", b"y" * (2**20 + 1))})
    assert answer.status_code == 413


async def test_too_many_files(small: tuple[Site, httpx.AsyncClient]) -> None:
    site, client = small
    files = [("file", (f"{number}.txt", f"text {number}".encode())) for number in range(4)]
    answer = await client.post(PATH, files=files)
    assert answer.status_code == 400
    assert "at most 3" in answer.json()["detail"]
    assert site.files() == []


async def test_a_client_that_goes_away_leaves_nothing(site: Site) -> None:
    key = await site.key()
    messages = [
        {"type": "http.request", "body": part("file", b"half a", filename="a.txt")[:-2], "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": PATH,
        "raw_path": PATH.encode(), "query_string": b"", "scheme": "http", "server": ("testserver", 80),
        "client": ("192.0.2.7", 1), "root_path": "",
        "headers": [
            (b"host", b"testserver"), (b"authorization", f"Bearer {key}".encode()),
            (b"content-type", FORM["Content-Type"].encode()), (b"content-length", b"5000"),
        ],
    }  # fmt: skip
    sent = []

    async def receive() -> dict[str, object]:
        return messages.pop(0)

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await site.app(scope, receive, send)
    assert site.files() == []
    page = await site.house.catalogue.page(reader_of(site.main), status=None, name=None, limit=1, before=None)
    assert page.documents == ()


async def test_files_and_folders_are_synced_before_the_record(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, accept = os.fsync, site.house.catalogue.accept

    def noting_fsync(descriptor: int) -> None:
        order.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    async def noting_accept(*arguments: object, **more: object) -> object:
        order.append("record")
        return await accept(*arguments, **more)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(site.house.catalogue, "accept", noting_accept)
    document = (await upload(owner, "a.txt", "text"))["documents"][0]["id"]
    record = order.index("record")
    synced = order[:record]
    root = site.house.folder / "blobs"
    assert any(path.endswith(f"{document}/original") for path in synced), "the file"
    assert any(path.endswith(f"/{document}") for path in synced), "its folder"
    assert str(root / site.main.uid) in synced, "the folder it was moved to"
    assert str(root) in synced


async def test_a_full_disk_is_507_and_leaves_nothing(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.house.blobs, "_min_free_bytes", 2**62)
    answer = await owner.post(PATH, files={"file": ("a.txt", b"text")})
    assert answer.status_code == 507
    assert "MiB" in answer.json()["detail"]
    monkeypatch.setattr(site.house.blobs, "_min_free_bytes", 0)
    looks = iter([None, StorageFull("full")])

    def check() -> None:
        if error := next(looks):
            raise error

    monkeypatch.setattr(site.house.blobs, "check_space", check)
    answer = await owner.post(PATH, files={"file": ("a.txt", b"x" * (9 * 2**20))})
    assert answer.status_code == 507
    assert site.files() == []


async def test_a_refused_record_leaves_no_file(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> object:
        raise QuotaExceeded("full", 7)

    monkeypatch.setattr(site.house.catalogue, "accept", refuse)
    answer = await owner.post(PATH, files={"file": ("a.txt", b"text")})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert site.files() == []


async def test_labels_beyond_the_key_are_refused(site: Site) -> None:
    async with site.client(await site.key(Role.EDITOR, labels={"red"})) as client:
        answer = await client.post(PATH, files={"file": ("a.txt", b"text")}, data={"labels": "red,blue"})
        assert answer.status_code == 403
        assert site.files() == []
        await upload(client, "a.txt", "text", labels="red")
