"""The screen's files: what is served, how, and what is not."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

import gateway.__main__ as started
from atoll.errors import StartRefused
from gateway.web import POLICY
from tests.unit.gateway.conftest import Site

PAGE = "<!doctype html><title>Atoll</title>"
SCRIPT = "start()"


@pytest.fixture
def screen(tmp_path: Path) -> Path:
    folder = tmp_path / "screen"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "index-abc.js").write_text(SCRIPT)
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (folder / "assets" / "secret.txt").write_text("no")
    return folder


@pytest.fixture
async def browser(tmp_path: Path, screen: Path) -> AsyncIterator[httpx.AsyncClient]:
    site = Site(tmp_path / "house")
    await site.open(screen=screen)
    async with site.client() as client:
        yield client
    await site.house.close_stores()


@pytest.mark.parametrize(
    "path", ["/", "/kb/default/ask", "/kb/default/doc/d1/p/3?mark=p1", "/admin", "/admin/keys", "/link"]
)
async def test_every_view_is_the_same_page_and_needs_no_key(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.text) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == POLICY
    assert answer.headers["x-frame-options"] == "DENY"
    assert (await browser.head(path)).status_code == 200


async def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    assert POLICY.startswith("default-src 'self';")
    assert "unsafe" not in POLICY
    assert "//" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


async def test_files_stay_with_the_browser_for_good(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": "identity"})
    assert (answer.status_code, answer.text) == (200, SCRIPT)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers


async def test_a_file_comes_compressed_to_who_can_read_that(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/assets/index-abc.js", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.text == SCRIPT


@pytest.mark.parametrize(
    "path",
    [
        "/assets/none.js", "/assets/secret.txt", "/assets/..%2findex.html", "/assets/%2e%2e/index.html",
        "/assets/index-abc.js.gz", "/assets/.js", "/assets/", "/nothing", "/documents",
    ],
)  # fmt: skip
async def test_what_is_no_file_of_the_screen_is_not_found(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_without_a_built_screen_the_page_says_how_to_get_one(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get("/")
        assert answer.status_code == 501
        assert "make web" in answer.json()["detail"]


async def test_the_description_of_the_api_says_nothing_of_the_screen(browser: httpx.AsyncClient) -> None:
    paths = (await browser.get("/openapi.json")).json()["paths"]
    assert not [path for path in paths if path == "/" or path.startswith(("/assets", "/kb", "/admin", "/link"))]


def test_a_screen_that_came_with_the_gateway_is_served_before_a_checkouts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = tmp_path / "gateway" / "gateway" / "__main__.py"
    code.parent.mkdir(parents=True)
    monkeypatch.setattr(started, "__file__", str(code))
    assert started.screen_folder(None) == tmp_path / "web" / "dist"
    (code.parent / "screen").mkdir()
    assert started.screen_folder(None) == code.parent / "screen"
    with pytest.raises(StartRefused, match="holds no built screen"):
        started.screen_folder(tmp_path)
