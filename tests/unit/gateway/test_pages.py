"""Page images: marks, resolutions, caching, and what a deleted document leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.page import Box
from tests.unit.gateway.conftest import Site, upload


class DrawingParser(MemoryParser):
    """Answers with what it was asked for, in place of a picture."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int, list[Box]]] = []

    async def draw(self, *, pdf: BinaryIO, page: int, dpi: int, marks: Sequence[Box]) -> bytes:
        self.asked.append((Path(pdf.name).name, page, dpi, list(marks)))
        return f"\x89PNG {page} {dpi} {len(marks)}".encode("latin-1")


@pytest.fixture
async def drawing(tmp_path: Path) -> AsyncIterator[tuple[Site, DrawingParser, httpx.AsyncClient, str]]:
    site, parser = Site(tmp_path / "house"), DrawingParser()
    await site.open(parser=parser)
    async with site.client(await site.key()) as client:
        document = (await upload(client, "a.txt", "The harbour.\nThe lighthouse."))["documents"][0]["id"]
        await site.work()
        yield site, parser, client, f"/v1/kbs/main/documents/{document}"
    site.house.database.close()
    site.house.blobs.close()


async def test_a_page_is_drawn_once_with_its_marks(
    drawing: tuple[Site, DrawingParser, httpx.AsyncClient, str],
) -> None:
    site, parser, client, path = drawing
    passage = (await client.get(f"{path}/passages")).json()["passages"][0]
    for _ in range(2):
        answer = await client.get(f"{path}/pages/1.png", params={"mark": passage["id"], "dpi": 150})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["cache-control"] == "private, no-store"
    assert parser.asked == [("rendition", 1, 150, [Box(*box) for box in passage["boxes"]])]
    assert "etag" not in answer.headers  # a browser has no copy that it could ask about
    await client.get(f"{path}/pages/1.png")
    assert parser.asked[1] == ("rendition", 1, 96, [])
    assert len([name for name in site.files() if "/pages/" in name]) == 2


async def test_what_cannot_be_drawn(drawing: tuple[Site, DrawingParser, httpx.AsyncClient, str]) -> None:
    _, parser, client, path = drawing
    for query, status in {"dpi=97": 400, "mark=none": 404, "mark=" + "&mark=".join("x" * 65): 400}.items():
        assert (await client.get(f"{path}/pages/1.png?{query}")).status_code == status, query
    assert (await client.get(f"{path}/pages/x.png")).status_code == 400
    assert parser.asked == []


async def test_drawn_pages_go_with_the_document(
    drawing: tuple[Site, DrawingParser, httpx.AsyncClient, str],
) -> None:
    site, _, client, path = drawing
    await client.get(f"{path}/pages/1.png")
    await client.delete(path)
    assert (await client.get(f"{path}/pages/1.png")).status_code == 404
    await site.work()
    assert site.files() == []
