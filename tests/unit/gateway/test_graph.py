"""The graph routes: shapes, bounds, who sees what, and exports that other programs can read."""

from __future__ import annotations

import io
import json
from xml.etree import ElementTree as ET

import httpx
import networkx as nx
import pytest

from tests.support.readers import reader_of
from tests.support.written import Line, write
from tests.unit.gateway.conftest import Site

ROOT = "/v1/kbs/main/graph"
NASTY = 'o\'brien & "sons" <ltd> \x07\u202e 船'


@pytest.fixture
async def graph(site: Site, owner: httpx.AsyncClient) -> httpx.AsyncClient:
    kb = site.main.uid
    await write(
        site.house, kb, "crew.txt",
        [
            Line("Ada and Bob sail.", ["ada:person", "bob:person"], [("ada", "bob", "Ada sails with Bob.")]),
            Line("Ada owns the Merle.", ["ada:person", "merle:ship"]),
        ],
    )  # fmt: skip
    await write(
        site.house, kb, "firm.txt", [Line("Nasty", [f"{NASTY}:company", "ada:person"], [("ada", NASTY, NASTY)])]
    )
    await write(site.house, kb, "secret.txt", [Line("Eve", ["eve:spy", "ada:spy"])], labels=["secret"])
    return owner


async def get(client: httpx.AsyncClient, path: str, **params: object) -> dict:
    answer = await client.get(f"{ROOT}/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_entities_lead_to_details_and_neighbours(graph):
    body = await get(graph, "entities", limit=2)
    assert [(each["name"], each["type"], each["passages"]) for each in body["entities"]] == [
        ("ada", "person", 4), ("bob", "person", 1),
    ]  # fmt: skip
    assert body["truncated"]
    (ada,) = (await get(graph, "entities", q="AD"))["entities"]
    detail = await get(graph, f"entities/{ada['id']}")
    assert {each["name"] for each in detail["documents"]} == {"crew.txt", "firm.txt", "secret.txt"}
    assert detail["document_count"] == 3
    assert detail["types"] == [{"value": "person", "passages": 3}, {"value": "spy", "passages": 1}]
    assert {"id", "document_id", "document", "page", "text"} == set(detail["sample"][0])
    near = await get(graph, f"entities/{ada['id']}/neighbourhood", hops=2, limit=3)
    assert near["entity"]["name"] == "ada"
    assert [each["hops"] for each in near["entities"]] == [1, 1, 1]
    assert near["truncated"]
    assert near["relations"][0]["description"] == "Ada sails with Bob."
    assert near["relations"][0]["keywords"] == ["knows", "of"]


async def test_types_and_figures(graph):
    assert (await get(graph, "labels"))["labels"] == [
        {"type": "person", "entities": 2},
        {"type": "company", "entities": 1},
        {"type": "ship", "entities": 1},
        {"type": "spy", "entities": 1},
    ]
    stats = await get(graph, "stats")
    assert (stats["documents"], stats["passages"], stats["entities"], stats["mentions"], stats["relations"]) == (
        3, 4, 5, 8, 2,
    )  # fmt: skip


async def test_a_key_without_the_label_sees_a_smaller_graph(site, graph):
    (eve,) = (await get(graph, "entities", q="eve"))["entities"]
    async with site.client(await site.key(labels={"public"})) as reader:
        assert [each["name"] for each in (await get(reader, "entities", q="ev"))["entities"]] == []
        answer = await reader.get(f"{ROOT}/entities/{eve['id']}")
        assert answer.status_code == 404
        assert (await reader.get(f"{ROOT}/entities/{eve['id']}/neighbourhood")).status_code == 404
        assert (await get(reader, "stats"))["documents"] == 2
        assert "eve" not in (await reader.get(f"{ROOT}/export", params={"format": "jsonl"})).text
        assert "eve" not in (await reader.get(f"{ROOT}/export")).text


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("entities", {"limit": 501}),
        ("entities", {"limit": 0}),
        ("entities", {"q": "x" * 201}),
        ("entities/x/neighbourhood", {"hops": 4}),
        ("entities/x/neighbourhood", {"limit": 201}),
        ("export", {"format": "png"}),
    ],
)
async def test_what_is_out_of_bounds_is_refused(graph, path, params):
    answer = await graph.get(f"{ROOT}/{path}", params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


async def test_graphml_is_read_by_others(graph):
    answer = await graph.get(f"{ROOT}/export")
    assert answer.headers["content-type"].startswith("application/graphml+xml")
    assert answer.headers["content-disposition"] == 'attachment; filename="main.graphml"'
    read = nx.read_graphml(io.BytesIO(answer.content), force_multigraph=True)
    names = {node: data["name"] for node, data in read.nodes(data=True)}
    assert len(names) == 5
    assert NASTY.replace("\x07", "\ufffd") in names.values()
    edges = [(names[a], names[b], data) for a, b, data in read.edges(data=True)]
    stated = [(a, b) for a, b, data in edges if data["kind"] == "relation"]
    assert ("ada", "bob") in stated
    together = {frozenset((a, b)): data["weight"] for a, b, data in edges if data["kind"] == "co-occurrence"}
    assert len(together) == 4
    assert together[frozenset(("ada", "merle"))] == 1.0
    assert read.graph["complete"] is True
    # Every id and key that is referred to is declared, as the schema of GraphML demands.
    root = ET.fromstring(answer.content)
    space = "{http://graphml.graphdrawing.org/xmlns}"
    keys = {each.get("id") for each in root.iter(f"{space}key")}
    assert {each.get("key") for each in root.iter(f"{space}data")} <= keys
    nodes = {each.get("id") for each in root.iter(f"{space}node")}
    assert {each.get(end) for each in root.iter(f"{space}edge") for end in ("source", "target")} <= nodes


async def test_jsonl_has_one_object_a_line_and_an_end(graph):
    answer = await graph.get(f"{ROOT}/export", params={"format": "jsonl"})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    kinds = [line["kind"] for line in lines]
    assert {kind: kinds.count(kind) for kind in kinds} == {"entity": 5, "co-occurrence": 4, "relation": 2, "end": 1}
    assert lines[-1]["complete"] is True
    assert {line["name"] for line in lines if line["kind"] == "entity"} >= {NASTY, "ada"}


async def test_an_export_during_a_change_says_so(site, graph):
    from gateway.graph.export import ExportFormat, GraphExport

    pieces = GraphExport(site.house.atlas_export, reader_of(site.main)).write(ExportFormat.JSONL)
    content = [await anext(pieces), await anext(pieces)]
    await write(site.house, site.main.uid, "late.txt", [Line("Late", ["late"])])
    content += [piece async for piece in pieces]
    end = json.loads(b"".join(content).splitlines()[-1])
    assert end["complete"] is False


async def test_an_export_of_nothing_is_a_graph_too(site, owner):
    answer = await owner.get("/v1/kbs/other/graph/export")
    assert nx.read_graphml(io.BytesIO(answer.content)).number_of_nodes() == 0
    assert (await owner.get("/v1/kbs/none/graph/export")).status_code == 404
