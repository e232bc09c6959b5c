from __future__ import annotations

import httpx
import pytest

from atoll.domain.principal import Role
from atoll.domain.reading import PIPELINE
from tests.unit.gateway.conftest import Site, upload

TEXT = "The harbour was built in 1902 by Ada Lind.\nThe lighthouse stands on Crab Rock.\n"
DOCUMENT_FIELDS = {
    "id",
    "name",
    "source",
    "version",
    "status",
    "media_type",
    "bytes",
    "sha256",
    "pages",
    "passages",
    "entities",
    "metadata",
    "labels",
    "created_at",
    "ready_at",
    "error",
    "warnings",
    "stages",
    "read",
}


async def test_an_upload_becomes_ready(site: Site, owner: httpx.AsyncClient) -> None:
    body = await upload(owner, "harbour.txt", TEXT, metadata='{"year": 1902}', labels="b, a")
    assert set(body) == {"batch_id", "documents", "duplicates", "namesakes"}
    document = body["documents"][0]
    assert set(document) == DOCUMENT_FIELDS
    assert (document["status"], document["name"], document["labels"]) == ("queued", "harbour.txt", ["a", "b"])
    assert document["metadata"] == {"year": 1902}
    batch = (await owner.get(f"/v1/kbs/main/batches/{body['batch_id']}")).json()
    assert batch["counts"] == {"queued": 1}
    assert batch["eta_seconds"] is None

    await site.work()

    document = (await owner.get(f"/v1/kbs/main/documents/{document['id']}")).json()
    assert document["status"] == "ready"
    assert document["ready_at"].endswith("Z")
    assert [stage["state"] for stage in document["stages"]] == ["done"] * len(document["stages"])
    assert document["read"] == {
        "pipeline": PIPELINE, "parser": "", "why": "", "language": "en", "encoding": None, "older": False,
    }  # fmt: skip
    listed = (await owner.get("/v1/kbs/main/documents?read_by=older&warning=no_text")).json()
    assert (listed["documents"], listed["older"], listed["counts"]) == ([], 0, {"ready": 1})
    batch = (await owner.get(f"/v1/kbs/main/batches/{body['batch_id']}")).json()
    assert (batch["counts"], batch["eta_seconds"]) == ({"ready": 1}, 0)


async def test_the_same_bytes_at_the_same_place_are_the_known_document(site: Site, owner: httpx.AsyncClient) -> None:
    first = await upload(owner, "docs/a.txt", TEXT)
    again = await upload(owner, "./docs/a.txt", TEXT)
    known = first["documents"][0]["id"]
    assert again["duplicates"] == [{"name": "a.txt", "document_id": known, "applied": []}]
    assert [document["id"] for document in again["documents"]] == [known]
    assert (again["documents"][0]["source"], again["documents"][0]["name"]) == ("docs", "a.txt")
    assert [path for path in site.files() if path.endswith("original")] == [f"{site.main.uid}/{known}/original"]
    assert not [path for path in site.files() if path.startswith(".incoming")]


async def test_the_same_bytes_at_another_place_are_a_document_of_their_own(
    site: Site, owner: httpx.AsyncClient
) -> None:
    first = (await upload(owner, "docs/a.txt", TEXT))["documents"][0]["id"]
    renamed = await upload(owner, "docs/b.txt", TEXT)
    moved = await upload(owner, "a.txt", TEXT, source="other")
    assert renamed["duplicates"] == moved["duplicates"] == renamed["namesakes"] == []
    assert moved["namesakes"] == [{"name": "a.txt", "source": "docs", "document_id": first}]
    await site.work()
    found = (await owner.post("/v1/kbs/main/search", json={"query": "When was the harbour built?"})).json()["evidence"]
    ids = {first, renamed["documents"][0]["id"], moved["documents"][0]["id"]}
    assert len({entry["text"] for entry in found}) == len(found)
    assert {found[0]["document_id"], *found[0]["also_in"]} == ids


async def test_case_f25_the_same_bytes_with_other_labels_are_never_dropped(
    site: Site, owner: httpx.AsyncClient
) -> None:
    plan, asked = "The Vellmouth site is closed in autumn.", {"query": "Which site is closed in autumn?"}
    document = (await upload(owner, "plan.txt", plan))["documents"][0]["id"]
    await site.work()
    async with site.client(await site.key(Role.READER, labels=set())) as outside:
        assert "Vellmouth" in (await outside.post("/v1/kbs/main/query", json=asked)).json()["answer"]
        for replace, applied in (("false", ["labels"]), ("true", [])):
            again = await upload(owner, "plan.txt", plan, labels="secret", replace=replace)
            assert again["duplicates"] == [{"name": "plan.txt", "document_id": document, "applied": applied}]
            assert again["documents"][0]["labels"] == ["secret"]
            assert "Vellmouth" not in (await outside.post("/v1/kbs/main/query", json=asked)).text
            await site.work()
            assert "Vellmouth" not in (await outside.post("/v1/kbs/main/query", json=asked)).text
            assert "Vellmouth" in (await owner.post("/v1/kbs/main/query", json=asked)).json()["answer"]
    described = await upload(owner, "plan.txt", plan, metadata='{"year": 2024}')
    assert (described["duplicates"][0]["applied"], described["documents"][0]["metadata"]) == (
        ["metadata"], {"year": 2024}
    )  # fmt: skip
    # What would show it to more people is refused, and says what to do.
    refused = await owner.post(
        "/v1/kbs/main/documents", files={"file": ("plan.txt", plan.encode())}, data={"labels": "staff"}
    )
    assert refused.status_code == 409
    for hint in (f"as document {document}", "secret", "PATCH", "atoll documents label"):
        assert hint in refused.json()["detail"]
    sent = {"documents": [{"name": "plan.txt", "text": plan, "labels": []}]}
    assert (await owner.post("/v1/kbs/main/documents", json=sent)).status_code == 409
    assert (await owner.get(f"/v1/kbs/main/documents/{document}")).json()["labels"] == ["secret"]


async def test_case_f23_a_replacement_goes_by_source_and_name(site: Site, owner: httpx.AsyncClient) -> None:
    async def listed() -> set[tuple[str | None, str]]:
        body = (await owner.get("/v1/kbs/main/documents")).json()
        return {(each["source"], each["name"]) for each in body["documents"]}

    await upload(owner, "alpha/README.md", "The budget of the alpha project is 100 crowns.")
    await upload(owner, "beta/README.md", "The budget of the beta project is 200 crowns.")
    await site.work()
    new = await upload(owner, "alpha/README.md", "The budget of the alpha project is 300 crowns.", replace="true")
    assert (new["namesakes"], new["documents"][0]["version"]) == ([], 2)
    await site.work()
    assert await listed() == {("alpha", "README.md"), ("beta", "README.md")}
    answer = (await owner.post("/v1/kbs/main/query", json={"query": "What is the budget of the beta project?"})).json()
    assert "200 crowns" in answer["answer"]
    # At a place of its own nothing is replaced, and the uploader is told of the name.
    stray = await upload(owner, "README.md", "The budget of the alpha project is 400 crowns.", replace="true")
    assert [(each["name"], each["source"]) for each in stray["namesakes"]] == [("README.md", "alpha")]
    await site.work()
    assert await listed() == {("alpha", "README.md"), ("beta", "README.md"), (None, "README.md")}


async def test_json_documents(site: Site, owner: httpx.AsyncClient) -> None:
    sent = {
        "documents": [
            {"name": "one.md", "text": "# One\n\nfirst", "source": "wiki", "metadata": {"k": 1}, "labels": ["x"]},
            {"name": "two", "text": "second"},
        ]
    }
    answer = await owner.post("/v1/kbs/main/documents", json=sent)
    assert answer.status_code == 202
    one, two = answer.json()["documents"]
    assert (one["media_type"], one["source"], one["metadata"], one["labels"]) == (
        "text/markdown",
        "wiki",
        {"k": 1},
        ["x"],
    )
    assert (two["media_type"], two["source"]) == ("text/plain", None)


async def test_listing_pages_and_counts(site: Site, owner: httpx.AsyncClient) -> None:
    for number in range(5):
        await upload(owner, f"{number}.txt", f"text {number}")
    first = (await owner.get("/v1/kbs/main/documents", params={"limit": 2})).json()
    assert [document["name"] for document in first["documents"]] == ["4.txt", "3.txt"]
    assert first["counts"] == {"queued": 5}
    rest = (await owner.get("/v1/kbs/main/documents", params={"limit": 9, "cursor": first["next_cursor"]})).json()
    assert [document["name"] for document in rest["documents"]] == ["2.txt", "1.txt", "0.txt"]
    assert rest["next_cursor"] is None
    named = (await owner.get("/v1/kbs/main/documents", params={"name": "[12].txt", "status": "queued"})).json()
    assert [document["name"] for document in named["documents"]] == ["2.txt", "1.txt"]
    assert not first["next_cursor"].isdigit(), "a cursor does not count documents of others"
    elsewhere = site.app.state.runtime.opaque.text("document", site.other.uid, 3)
    for foreign in ("zzz", "3", "é" * 9, elsewhere):
        assert (await owner.get("/v1/kbs/main/documents", params={"cursor": foreign})).status_code == 400, foreign


async def test_a_listing_is_of_a_source_or_a_label(owner: httpx.AsyncClient) -> None:
    for name, source, labels in (("a.txt", "plans/old", "staff"), ("b.txt", "plans", ""), ("c.txt", "bills", "staff")):
        await upload(owner, name, name, source=source, labels=labels)

    async def listed(**params: str) -> list[str]:
        body = (await owner.get("/v1/kbs/main/documents", params=params)).json()
        return sorted(document["name"] for document in body["documents"])

    assert await listed(source="plans/") == ["a.txt", "b.txt"]
    assert await listed(label=" staff ") == ["a.txt", "c.txt"]
    assert await listed(label="staff", source="plans") == ["a.txt"]
    assert (await owner.get("/v1/kbs/main/documents", params={"label": "a,b"})).status_code == 400


async def test_delete_hides_at_once_and_leaves_no_file(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", TEXT))["documents"][0]["id"]
    await site.work()
    would = (await owner.delete(f"/v1/kbs/main/documents/{document}", params={"dry_run": "true"})).json()
    assert would["dry_run"] is True
    assert (await owner.get(f"/v1/kbs/main/documents/{document}")).status_code == 200
    receipt = (await owner.delete(f"/v1/kbs/main/documents/{document}")).json()
    assert set(receipt) == {"document_id", "dry_run", "removed", "kept"}
    assert receipt["removed"] == would["removed"]
    assert receipt["removed"]["passages"] >= 1
    for path in ("", "/file", "/passages", "/pages/1", "/pages/1.png"):
        assert (await owner.get(f"/v1/kbs/main/documents/{document}{path}")).status_code == 404, path
    await site.work()
    assert site.files() == []


async def test_retry_and_cancel(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", TEXT))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}"
    assert (await owner.post(f"{path}/retry")).status_code == 409
    assert (await owner.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert (await owner.post(f"{path}/cancel")).status_code == 409
    assert (await owner.post(f"{path}/retry", json={})).json()["status"] == "queued"
    await site.work()
    assert (await owner.get(path)).json()["status"] == "ready"


async def test_a_document_keeps_its_id_when_it_is_read_again(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", TEXT))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}"
    assert (await owner.post(f"{path}/reprocess")).status_code == 409
    await site.work()
    first = (await owner.get(f"{path}/passages")).json()["passages"]
    assert (await owner.post(f"{path}/reprocess", json={"from": "index"})).status_code == 400
    answer = await owner.post(f"{path}/reprocess", json={"from": "embed"})
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (202, document, "ready")
    assert [stage["state"] for stage in answer.json()["stages"]] == ["done"] * 3 + ["waiting"] * 4
    assert (await owner.get(f"{path}/passages")).json()["passages"] == first
    await site.work()
    second = (await owner.get(f"{path}/passages")).json()["passages"]
    assert [each["text"] for each in second] == [each["text"] for each in first]
    assert {each["id"] for each in second}.isdisjoint(each["id"] for each in first)
    shown = (await owner.get(path)).json()
    assert {stage["state"] for stage in shown["stages"]} == {"done"}
    found = (await owner.post("/v1/kbs/main/search", json={"query": "harbour", "mode": "naive"})).json()["evidence"]
    assert {each["document_id"] for each in found} == {document}
    only = {"query": "harbour", "mode": "naive", "filters": {"document_ids": [document]}}
    assert (await owner.post("/v1/kbs/main/search", json=only)).json()["evidence"]
    assert (await owner.get(f"{path}/file")).content.decode() == TEXT
    assert (await owner.get(f"{path}/pages/1")).json()["passages"]
    again = await upload(owner, "a.txt", TEXT)
    assert again["duplicates"] == [{"name": "a.txt", "document_id": document, "applied": []}]
    deleted = (await owner.delete(path)).json()
    assert deleted["document_id"] == document
    assert (await owner.get(path)).status_code == 404


async def test_download_is_saved_and_never_run(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, 'Übersicht "1".html', "<html><script>alert(1)</script>"))["documents"][0]["id"]
    answer = await owner.get(f"/v1/kbs/main/documents/{document}/file")
    assert answer.content == b"<html><script>alert(1)</script>"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"_bersicht _1_.html\"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.html"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["cache-control"] == "no-store"


async def test_the_pages_of_a_document_are_saved_as_a_pdf(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", TEXT))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}/file"
    assert (await owner.get(path, params={"pages": "true"})).status_code == 404, "not laid out"
    await site.work()
    answer = await owner.get(path, params={"pages": "true"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.content.startswith(b"%PDF-")
    assert "a.txt.pdf" in answer.headers["content-disposition"]
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_passages_and_pages(site: Site, owner: httpx.AsyncClient) -> None:
    lines = "".join(f"Line {number} tells of buoy {number} in the bay.\n" for number in range(120))
    document = (await upload(owner, "a.txt", lines))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}"
    assert (await owner.get(f"{path}/passages")).status_code == 404, "not ready"
    await site.work()
    first = (await owner.get(f"{path}/passages", params={"limit": 1})).json()
    passage = first["passages"][0]
    assert set(passage) == {"id", "ordinal", "page", "boxes", "char_start", "char_end", "text", "chunk_id", "headings"}
    second = (await owner.get(f"{path}/passages", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert second["passages"][0]["ordinal"] == passage["ordinal"] + 1
    page = (await owner.get(f"{path}/pages/1")).json()
    assert page["page"] == 1
    assert page["width"] > 0
    assert passage["id"] in [each["id"] for each in page["passages"]]
    assert (await owner.get(f"{path}/pages/99")).status_code == 404
    assert (await owner.get(f"{path}/pages/0")).status_code == 400
    heat = await owner.post(f"{path}/pages/1/heatmap", json={"query": "buoy"})
    assert heat.status_code == 501


@pytest.mark.parametrize("status", ["nonsense"])
async def test_unknown_status_is_a_bad_request(owner: httpx.AsyncClient, status: str) -> None:
    answer = await owner.get("/v1/kbs/main/documents", params={"status": status})
    assert answer.status_code == 400
    assert "status" in answer.json()["detail"]


async def test_labels_of_a_document_are_changed_at_once_and_in_the_index(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "plan.txt", TEXT))["documents"][0]["id"]
    await site.work()
    path = f"/v1/kbs/main/documents/{document}"
    asked = {"query": "When was the harbour built?", "mode": "naive"}
    async with site.client(await site.key(Role.READER, labels=set())) as outside:
        assert (await outside.post("/v1/kbs/main/search", json=asked)).json()["evidence"]
        amended = await owner.patch(path, json={"labels": ["staff", " secret"], "metadata": {"year": 1902}})
        assert amended.status_code == 200
        assert set(amended.json()) == DOCUMENT_FIELDS
        assert (amended.json()["labels"], amended.json()["metadata"]) == (["secret", "staff"], {"year": 1902})
        assert amended.json()["stages"][-1]["name"] == "relabel"
        assert (await outside.post("/v1/kbs/main/search", json=asked)).json()["evidence"] == []
        assert (await outside.get(path)).status_code == 404
        await site.work()
        assert {point.labels for point in site.house.vectors._points.values()} == {("secret", "staff")}
        shown = (await owner.get(path)).json()
        assert (shown["status"], [stage["name"] for stage in shown["stages"]][-1]) == ("ready", "publish")
        assert (await owner.post("/v1/kbs/main/search", json=asked)).json()["evidence"]
    audit = (await owner.get("/v1/audit", params={"action": "document.relabelled"})).json()["events"]
    assert [(event["object"], event["result"]) for event in audit] == [
        (f"document {document}", "labels: none -> secret, staff")
    ]


async def test_name_and_source_of_a_document_are_changed_and_what_cannot_be_is_told(
    site: Site, owner: httpx.AsyncClient
) -> None:
    document = (await upload(owner, "plan.txt", TEXT, labels="a"))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}"
    moved = (await owner.patch(path, json={"name": "Plan 2.txt", "source": "archive/2024"})).json()
    assert (moved["name"], moved["source"], moved["labels"]) == ("Plan 2.txt", "archive/2024", ["a"])
    assert (await owner.patch(path, json={"source": None})).json()["source"] is None
    assert (await owner.patch(path, json={})).json()["name"] == "Plan 2.txt"
    for wrong in (
        {"name": "a/b.txt"},
        {"name": ""},
        {"labels": None},
        {"labels": ["a,b"]},
        {"labels": [" "]},
        {"metadata": []},
        {"x": 1},
    ):
        assert (await owner.patch(path, json=wrong)).status_code == 400, wrong
    async with site.client(await site.key(Role.EDITOR, labels={"a"})) as editor:
        refused = await editor.patch(path, json={"labels": ["b"]})
        assert (refused.status_code, refused.json()["detail"]) == (
            403, "this key may only give documents labels that it holds itself"
        )  # fmt: skip
    async with site.client(await site.key(Role.READER)) as reader:
        assert (await reader.patch(path, json={"labels": []})).status_code == 403


async def test_case_f20_a_name_is_found_in_either_spelling_of_its_accents(site: Site, owner: httpx.AsyncClient) -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    await upload(owner, f"{decomposed}/{decomposed}.txt", TEXT)
    for name in (composed, decomposed):
        listed = (await owner.get("/v1/kbs/main/documents", params={"name": f"{name}*"})).json()["documents"]
        assert [(each["source"], each["name"]) for each in listed] == [(composed, f"{composed}.txt")]
    await site.work()
    for filters in ({"names": [f"{decomposed}.*"]}, {"sources": [decomposed]}):
        asked = {"query": "When was the harbour built?", "mode": "naive", "filters": filters}
        assert (await owner.post("/v1/kbs/main/search", json=asked)).json()["evidence"], filters
