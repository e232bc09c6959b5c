"""How a document was read can be asked for: what is in none of its passages, and what it calls its pages."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx

from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.block import Block, BlockKind, Line
from atoll.domain.page import Box
from atoll.domain.parsed import ParsedDocument, Skipped
from atoll.domain.principal import Role
from atoll.ingest.pipeline import Pipeline
from tests.unit.gateway.conftest import Site, upload

PATH = "/v1/kbs/main/documents"
HEAD, BELOW, OUTSIDE = Box(50.0, 20.0, 200.0, 30.0), Box(50.0, 30.0, 260.0, 40.0), Box(9.0, 900.0, 99.0, 912.0)


class LeavingOut(MemoryParser):
    """Finds a page's head, hidden text and a member that it does not read besides what there is."""

    async def parse(self, **arguments: Any) -> ParsedDocument:
        document = await super().parse(**arguments)
        head = Block(BlockKind.PAGE_HEADER, (Line("Harbour office", 1, HEAD), Line("Notice 7", 1, BELOW)))
        document = replace(
            document,
            blocks=(head, *document.blocks),
            skipped=(Skipped("off_page", 1, OUTSIDE, "cut away"), Skipped("member_not_read", None, None, "film.mov")),
        )
        result = arguments["result"]
        result.seek(0)
        result.truncate()
        result.write(json.dumps(document.to_json()).encode())
        return document


async def test_what_is_in_no_passage_is_told_by_page(site: Site, owner: httpx.AsyncClient) -> None:
    site.house.pipeline = Pipeline(replace(site.house.shop, parser=LeavingOut()), "w1")
    path = f"{PATH}/{(await upload(owner, 'a.txt', 'The pier is closed.'))['documents'][0]['id']}/skipped"
    assert (await owner.get(path)).status_code == 404
    await site.work()
    answer = (await owner.get(path)).json()
    assert answer == {
        "items": [
            {"type": "member_not_read", "page": None, "boxes": [], "text": "film.mov"},
            {"type": "off_page", "page": 1, "boxes": [list(OUTSIDE)], "text": "cut away"},
            {"type": "header", "page": 1, "boxes": [list(HEAD.union(BELOW))], "text": "Harbour office Notice 7"},
        ],
        "total": 3,
    }
    first = (await owner.get(path, params={"limit": 1})).json()
    assert (len(first["items"]), first["total"]) == (1, 3)
    async with site.client(await site.key(Role.EDITOR)) as editor, site.client(await site.key(Role.READER)) as reader:
        assert (await editor.get(path)).status_code == 200
        assert (await reader.get(path)).status_code == 403
    async with site.client(await site.key(Role.OWNER, kbs={"other"})) as stranger:
        assert (await stranger.get(path)).status_code == 404


class Labelled(MemoryParser):
    """Gives each page the number that its book prints."""

    async def parse(self, **arguments: Any) -> ParsedDocument:
        document = await super().parse(**arguments)
        pages = tuple(replace(page, label="iv" if page.number == 1 else "") for page in document.pages)
        return replace(document, pages=pages)


async def test_a_page_says_what_its_document_calls_it(site: Site, owner: httpx.AsyncClient) -> None:
    site.house.pipeline = Pipeline(replace(site.house.shop, parser=Labelled()), "w1")
    text = "\n".join(f"Line {number} of the book." for number in range(60))
    path = f"{PATH}/{(await upload(owner, 'a.txt', text))['documents'][0]['id']}/pages"
    await site.work()
    labels = [(await owner.get(f"{path}/{number}")).json()["label"] for number in (1, 2)]
    assert labels == ["iv", None]
