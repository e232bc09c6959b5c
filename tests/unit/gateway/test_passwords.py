"""The password of an encrypted document, from its upload until the document is read."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from atoll.adapters.file_passwords import FilePasswords
from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.parsed import ParsedDocument
from atoll.errors import DocumentEncrypted, NotFound
from atoll.ingest.pipeline import Pipeline
from tests.unit.gateway.conftest import Site, upload

PATH = "/v1/kbs/main/documents"
PASSWORD = "Springtide-\N{LATIN SMALL LETTER O WITH DIAERESIS}-1"


class LockedParser(MemoryParser):
    """Reads with the right password only; ``before`` happens while it reads."""

    def __init__(self) -> None:
        self.given: list[str | None] = []

    async def parse(self, *, password: str | None = None, **arguments: object) -> ParsedDocument:  # type: ignore[override]
        self.given.append(password)
        await self.before()
        if password != PASSWORD:
            raise DocumentEncrypted("the PDF is encrypted")
        return await super().parse(password=password, **arguments)  # type: ignore[arg-type]

    async def before(self) -> None:
        return None


@pytest.fixture
def parser() -> LockedParser:
    return LockedParser()


@pytest.fixture
async def locked(site: Site, owner: httpx.AsyncClient, parser: LockedParser) -> httpx.AsyncClient:
    site.house.pipeline = Pipeline(replace(site.house.shop, parser=parser), "w1")
    return owner


def kept(site: Site) -> list[str]:
    return [name for name in site.files() if name.endswith("/password")]


def written(site: Site) -> bytes:
    return b"".join(path.read_bytes() for path in site.house.folder.rglob("*") if path.is_file())


async def state(client: httpx.AsyncClient, document: str) -> tuple[str, str | None]:
    body = (await client.get(f"{PATH}/{document}")).json()
    return body["status"], body["error"] and body["error"]["type"]


async def test_a_document_fails_by_name_and_is_read_when_it_comes_with_its_password(
    site: Site, locked: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    document = (await upload(locked, "safe.txt", "In the safe"))["documents"][0]["id"]
    await site.work()
    assert await state(locked, document) == ("failed", "DocumentEncrypted")
    again = await upload(locked, "safe.txt", "In the safe", password=PASSWORD)
    assert again["documents"][0]["id"] == document
    assert len(kept(site)) == 1
    assert PASSWORD.encode() not in written(site)
    await site.work()
    assert await state(locked, document) == ("ready", None)
    assert kept(site) == []
    assert PASSWORD.encode() not in written(site)
    assert PASSWORD not in caplog.text


async def test_a_new_document_is_read_with_its_password_at_once(
    site: Site, locked: httpx.AsyncClient, parser: LockedParser
) -> None:
    document = (await upload(locked, "safe.txt", "In the safe", password=PASSWORD))["documents"][0]["id"]
    await site.work()
    assert await state(locked, document) == ("ready", None)
    assert parser.given == [PASSWORD]
    assert kept(site) == []


async def test_a_wrong_password_is_forgotten_and_the_right_one_taken(site: Site, locked: httpx.AsyncClient) -> None:
    document = (await upload(locked, "safe.txt", "In the safe", password="Neap"))["documents"][0]["id"]
    await site.work()
    assert await state(locked, document) == ("failed", "DocumentEncrypted")
    assert kept(site) == []
    await upload(locked, "safe.txt", "In the safe", password=PASSWORD)
    await site.work()
    assert await state(locked, document) == ("ready", None)


async def test_a_password_that_comes_while_the_document_is_read_is_tried(
    site: Site, locked: httpx.AsyncClient, parser: LockedParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (await upload(locked, "safe.txt", "In the safe"))["documents"][0]["id"]

    async def send_it() -> None:
        if len(parser.given) == 1:
            await upload(locked, "safe.txt", "In the safe", password=PASSWORD)

    monkeypatch.setattr(parser, "before", send_it)
    await site.work()
    assert await state(locked, document) == ("ready", None)
    assert parser.given == [None, PASSWORD]
    assert kept(site) == []


async def test_a_cancelled_document_keeps_no_password(site: Site, locked: httpx.AsyncClient) -> None:
    document = (await upload(locked, "safe.txt", "In the safe", password=PASSWORD))["documents"][0]["id"]
    assert len(kept(site)) == 1
    assert (await locked.post(f"{PATH}/{document}/cancel")).status_code == 200
    assert kept(site) == []


async def test_an_encrypted_document_is_read_again_with_its_password_only(
    site: Site, locked: httpx.AsyncClient, parser: LockedParser
) -> None:
    document = (await upload(locked, "safe.txt", "In the safe", password=PASSWORD))["documents"][0]["id"]
    again = f"{PATH}/{document}/reprocess"
    assert (await locked.post(again, json={"password": "Neap"})).status_code == 409  # it is not read yet
    assert kept(site) == []
    await locked.post(f"{PATH}/{document}/retry")
    document = (await upload(locked, "safe.txt", "In the safe", password=PASSWORD))["documents"][0]["id"]
    await site.work()
    assert (await locked.post(again)).status_code == 202
    await site.work()
    assert await state(locked, document) == ("ready", "DocumentEncrypted")
    assert "--password-file" in (await locked.get(f"{PATH}/{document}")).json()["error"]["message"]
    for password, error in (("Neap", "DocumentEncrypted"), (PASSWORD, None)):
        assert (await locked.post(again, json={"password": password})).status_code == 202
        await site.work()
        assert await state(locked, document) == ("ready", error)
        assert kept(site) == []
        assert parser.given[-1] == password
    assert (await locked.post(again, json={"password": "Springtide" * 30})).status_code == 400


async def test_a_password_that_no_format_takes_is_refused_untold(site: Site, locked: httpx.AsyncClient) -> None:
    answer = await locked.post(PATH, files={"file": ("safe.txt", b"x")}, data={"password": "Springtide" * 30})
    assert answer.status_code == 400
    assert "password" in answer.json()["detail"]
    assert "Springtide" not in answer.text
    assert site.files() == []


async def test_a_kept_password_opens_its_own_document_only(tmp_path: Path) -> None:
    kb, one, two = KbUid("k"), DocumentUid("one"), DocumentUid("two")
    for document in (one, two):
        (tmp_path / kb / document).mkdir(parents=True)
    first, second = FilePasswords(tmp_path), FilePasswords(tmp_path)
    await first.keep(kb, one, PASSWORD)
    await second.keep(kb, two, "")
    assert (await second.get(kb, one), await first.get(kb, two)) == (PASSWORD, "")
    sealed = tmp_path / kb / one / "password"
    assert (tmp_path / kb / two / "password").stat().st_size == sealed.stat().st_size
    (tmp_path / kb / two / "password").write_bytes(sealed.read_bytes())
    assert await first.get(kb, two) is None
    for _ in range(2):
        await first.forget(kb, one)
    assert await first.get(kb, one) is None
    with pytest.raises(NotFound):
        await first.keep(kb, DocumentUid("gone"), PASSWORD)
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob(".*")} == {".password-key": 0o600}
