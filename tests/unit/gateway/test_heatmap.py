"""The heatmap of a page: where it is lit, and who may see it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.domain.page import Page
from atoll.domain.page_archive import ARCHIVE
from atoll.domain.page_vectors import PageQuery, PageVectors
from atoll.errors import DependencyDown
from atoll.query.retrieve.heatmap import heat_of
from atoll.query.retrieve.pages import view_of
from tests.support.page_images import heated
from tests.unit.gateway.conftest import Site, upload

TEXT = "\n".join("the wanted valve" if row == 20 else f"filler {row}" for row in range(60))


class Drawing:
    """Draws white pages of 96 dpi."""

    def __init__(self, parser) -> None:
        self.parse = parser.parse
        self.drawn = 0

    async def draw(self, *, pdf, page, dpi, marks=(), heat=None) -> bytes:
        self.drawn += 1
        return heated(white(595 * dpi // 72, 842 * dpi // 72), heat, dpi / 72)


class Embedder(MemoryPageEmbedder):
    away = False

    async def embed_queries(self, texts):
        if self.away:
            raise DependencyDown("the page-image server is away")
        return await super().embed_queries(texts)


def white(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(content, "PNG")
    return content.getvalue()


def warmth(png: bytes) -> np.ndarray:
    """How far each pixel is from white."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int)
    return (255 - pixels).sum(axis=2)


@pytest.fixture
def embedder() -> Embedder:
    return Embedder()


@pytest.fixture
async def seeing(tmp_path: Path, embedder: Embedder) -> AsyncIterator[Site]:
    site = Site(tmp_path / "house", page_embedder=embedder)
    await site.open(parser=Drawing(site.house.shop.parser))
    yield site
    site.house.database.close()
    site.house.blobs.close()


@pytest.fixture
async def client(seeing: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with seeing.client(await seeing.key()) as client:
        yield client


async def page_of(site: Site, client: httpx.AsyncClient, **fields: str) -> str:
    body = await upload(client, "a.txt", TEXT, **fields)
    await site.work()
    return f"/v1/kbs/main/documents/{body['documents'][0]['id']}/pages"


async def test_the_line_that_answers_is_the_warmest(seeing: Site, client: httpx.AsyncClient) -> None:
    path = await page_of(seeing, client)
    answer = await client.post(f"{path}/1/heatmap", json={"query": "wanted valve"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert "no-store" in answer.headers["cache-control"]
    heat = warmth(answer.content)
    row = int(heat.sum(axis=1).argmax()) * 72 / 96
    top = 50 + 20 * 14  # where the parser in memory puts the line
    assert top - 4 <= row <= top + 18
    assert heat[: int(40 * 96 / 72)].max() < heat.max() / 4


async def test_who_asks_for_what_is_not_there_or_not_theirs_gets_404(seeing: Site, client: httpx.AsyncClient) -> None:
    path = await page_of(seeing, client, labels="red")
    question = {"query": "valve"}
    assert (await client.post(f"{path}/3/heatmap", json=question)).status_code == 404
    assert (await client.post(path.replace("/main/", "/other/") + "/1/heatmap", json=question)).status_code == 404
    assert (await client.post("/v1/kbs/main/documents/nobody/pages/1/heatmap", json=question)).status_code == 404
    async with seeing.client(await seeing.key(labels={"blue"})) as stranger:
        assert (await stranger.post(f"{path}/1/heatmap", json=question)).status_code == 404
    async with seeing.client() as nobody:
        assert (await nobody.post(f"{path}/1/heatmap", json=question)).status_code == 401
    assert (await client.delete(path.removesuffix("/pages"))).status_code == 200
    assert (await client.post(f"{path}/1/heatmap", json=question)).status_code == 404


async def test_queries_are_bounded_and_a_server_that_is_away_is_503(
    seeing: Site, client: httpx.AsyncClient, embedder: Embedder
) -> None:
    path = await page_of(seeing, client)
    for query in ("", "x" * 8001):
        assert (await client.post(f"{path}/1/heatmap", json={"query": query})).status_code in {400, 422}
    embedder.away = True
    answer = await client.post(f"{path}/1/heatmap", json={"query": "valve"})
    assert answer.status_code == 503
    assert "page-image server" in answer.json()["detail"]


async def test_pages_of_another_model_or_without_vectors_are_said_to_be_so(
    seeing: Site, client: httpx.AsyncClient
) -> None:
    path = await page_of(seeing, client)
    (archive,) = (seeing.house.folder / "blobs").glob(f"*/*/artefacts/embed.*/{ARCHIVE}")
    archive.write_text(archive.read_text().replace("hashed-lines-64", "another"))
    answer = await client.post(f"{path}/1/heatmap", json={"query": "valve"})
    assert (answer.status_code, "another" in answer.text or "model" in answer.text) == (501, True)
    archive.unlink()
    assert (await client.post(f"{path}/1/heatmap", json={"query": "valve"})).status_code == 404


@pytest.mark.parametrize("cell", [(0, 0), (2, 1), (3, 4)])
def test_a_grid_is_warmest_in_its_best_cell(cell: tuple[int, int]) -> None:
    columns, rows = 4, 5
    vectors = np.eye(columns * rows, dtype=np.float16)
    page = PageVectors(vectors, vectors, vectors, (columns, rows), None)
    column, row = cell
    query = PageQuery("model", vectors[row * columns + column][np.newaxis].astype(np.float32))
    view = view_of(Page(1, 400, 500), page, query)
    heat = warmth(heated(white(400, 500), heat_of(view)))
    y, x = np.unravel_index(heat.argmax(), heat.shape)
    assert (x // 100, y // 100) == cell
    assert view.boxes[0] == (column * 100, row * 100, column * 100 + 100, row * 100 + 100)


def test_a_blank_page_stays_as_it_is() -> None:
    nothing = np.zeros((0, 8), dtype=np.float16)
    view = view_of(
        Page(1, 100, 100),
        PageVectors(nothing, nothing, nothing, None, ()),
        PageQuery("model", np.eye(8, dtype=np.float32)[:1]),
    )
    assert view.boxes == ()
    assert warmth(heated(white(100, 100), heat_of(view))).max() == 0
