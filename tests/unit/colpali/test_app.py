"""The routes over the fake backend, in this process."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from atoll.serving.drain import Lifecycle
from atoll.serving.queue import Lane
from atoll.serving.runner import Runner
from colpali.app import Limits, build, build_service
from colpali.backend import PageBackend, SourcePage
from colpali.fake import COLUMNS, ROWS, Fake
from tests.support.page_images import encoded, noise

LIMITS = Limits(max_request_pages=4, max_pixels=100_000, max_batch_tokens=256, queue_tokens=1_000)


def serving(backend=None, *, run: bool = True, limits: Limits = LIMITS, token: str | None = None):
    """A client, the service behind it, and what stops it."""
    service = build_service(lifecycle=Lifecycle(), limits=limits)
    service.backend = backend or Fake()
    service.card = service.backend.card.as_dict()
    service.lifecycle.loaded()
    runs = [(service.queries, service.backend.run_queries)]
    if isinstance(service.backend, PageBackend):
        runs.insert(0, (service.pages, service.backend.run_pages))
    runners = [Runner(queue=queue, run=forward, workers=1, metrics=service.metrics) for queue, forward in runs]
    if run:
        for runner in runners:
            runner.start()
    return build(service, allowed_hosts={"localhost"}, token=token).test_client(), service, runners


@pytest.fixture
def client() -> Iterator:
    browser, _, runners = serving()
    yield browser
    for runner in runners:
        assert runner.stop(timeout_seconds=10)


def page(seed: int = 1, lines=(), **changes) -> dict:
    body = {"image": encoded(noise(seed)), "width": 800, "height": 800}
    return {**body, "lines": [{"text": text, "box": box} for text, box in lines], **changes}


def rows(result: dict, name: str = "vectors") -> np.ndarray:
    return (
        np.frombuffer(base64.b64decode(result[name]), dtype="<f2").reshape(-1, result["dimensions"]).astype(np.float32)
    )


def test_a_page_comes_back_as_a_grid_of_unit_vectors(client):
    reply = client.post("/v1/pages", json={"pages": [page(1), page(2)]}).json
    assert [result["index"] for result in reply["data"]] == [0, 1]
    for result in reply["data"]:
        assert (result["count"], result["grid"]) == (COLUMNS * ROWS, [COLUMNS, ROWS])
        assert rows(result).shape == (64, 128)
        assert (len(rows(result, "rows")), len(rows(result, "cols"))) == (ROWS, COLUMNS)
        for name in ("vectors", "rows", "cols"):
            np.testing.assert_allclose(np.linalg.norm(rows(result, name), axis=1), 1, atol=2e-3)
    assert not np.array_equal(rows(reply["data"][0]), rows(reply["data"][1]))


def test_a_query_finds_the_cell_with_its_word(client):
    lines = [("safety valve", [610, 310, 690, 390]), ("tide tables", [10, 10, 90, 90])]
    result = client.post("/v1/pages", json={"pages": [page(1, lines)]}).json["data"][0]
    query = client.post("/v1/queries", json={"queries": ["valve"]}).json["data"][0]
    assert int((rows(query) @ rows(result).T).sum(axis=0).argmax()) == 3 * COLUMNS + 6


def test_the_same_request_gives_the_same_bytes(client):
    body = {"pages": [page(1, [("a b", [0, 0, 9, 9])])]}
    assert client.post("/v1/pages", json=body).data == client.post("/v1/pages", json=body).data


@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        (page(image="!"), "invalid_value", "base64"),
        (page(image=None), "invalid_value", "sees images"),
        (page(image=encoded(Image.new("1", (400, 400)))), "invalid_value", "400 x 400 pixels"),
    ],
)
def test_a_bad_page_fails_alone(client, broken, code, said):
    sound, failed, also_sound = client.post("/v1/pages", json={"pages": [page(1), broken, page(2)]}).json["data"]
    assert failed["index"] == 1
    assert failed["error"]["code"] == code
    assert said in failed["error"]["message"]
    assert "vectors" not in failed
    assert sound["count"] == also_sound["count"] == 64
    text = client.get("/metrics").text
    assert 'atoll_model_failures_total{reason="validation"} 1.0' in text


def test_only_bad_pages_never_reach_the_model(client):
    reply = client.post("/v1/pages", json={"pages": [page(image="!")]})
    assert (reply.status_code, "error" in reply.json["data"][0]) == (200, True)
    assert "atoll_model_batch_items_count 0.0" in client.get("/metrics").text


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/v1/pages", {}, "pages"),
        ("/v1/pages", {"pages": []}, "pages"),
        ("/v1/pages", {"pages": [{"image": None}]}, "pages.0.width"),
        ("/v1/pages", {"pages": [page(width=0)]}, "pages.0.width"),
        ("/v1/pages", {"pages": [page(lines=[("a", [0, 1, 2])])]}, "pages.0.lines.0.box.3"),
        ("/v1/pages", {"pages": [page()] * 5}, "pages"),
        ("/v1/queries", {"queries": []}, "queries"),
        ("/v1/queries", {"queries": [""]}, "queries.0"),
        ("/v1/queries", {"queries": ["x" * 5000]}, "queries.0"),
        ("/v1/queries", {"queries": ["x"] * 33}, "queries"),
        ("/v1/queries", [], "body"),
    ],
)
def test_bad_requests_name_the_field(client, path, body, param):
    reply = client.post(path, json=body)
    assert reply.status_code == 400
    assert reply.json["error"]["param"] == param


class Broken(Fake):
    """Gives NaN for pages with the word, and dies of another one."""

    def run_pages(self, batch):
        if any("crash" in words for prepared in batch for words in prepared.cells):
            raise RuntimeError("kernel")
        found = [raw.copy() for raw in super().run_pages(batch)]
        for prepared, raw in zip(batch, found, strict=True):
            if any("nan" in words for words in prepared.cells):
                raw[5] = np.nan
        return found


def test_vectors_that_are_not_finite_are_an_error_of_their_page_alone():
    client, _, runners = serving(Broken())
    sound, failed = client.post("/v1/pages", json={"pages": [page(1), page(2, [("nan", [0, 0, 9, 9])])]}).json["data"]
    assert sound["count"] == 64
    assert failed["error"]["code"] == "model_failed"
    crashed = client.post("/v1/pages", json={"pages": [page(2, [("crash", [0, 0, 9, 9])])]})
    assert (crashed.status_code, crashed.json["error"]["code"]) == (500, "model_failed")
    assert client.post("/v1/pages", json={"pages": [page(1)]}).status_code == 200
    assert all(runner.stop(timeout_seconds=10) for runner in runners)


def test_a_full_queue_is_429_with_retry_after_and_queries_still_pass():
    client, service, runners = serving(run=False)
    runners[1].start()
    for _ in range(15):
        service.pages.submit([service.backend.prepare_page(SourcePage(8, 8, (), noise(1)))], Lane.DOCUMENT)
    refused = client.post("/v1/pages", json={"pages": [page(1)]})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.post("/v1/queries", json={"queries": ["anyone"]}).status_code == 200
    runners[0].start()
    assert all(runner.stop(timeout_seconds=10) for runner in runners)


def test_draining_refuses_new_work_and_info_names_the_backend():
    client, service, runners = serving(token="s3cret")
    assert client.get("/info").status_code == 401
    authorised = {"Authorization": "Bearer s3cret"}
    info = client.get("/info", headers=authorised).json
    assert (info["backend"], info["dimensions"], info["grid"]) == ("fake", 128, [8, 8])
    assert (info["needs_images"], info["needs_lines"]) == (True, True)
    assert len(info["fingerprint"]) == len(info["weights_sha256"]) == 64
    service.lifecycle.drain()
    refused = client.post("/v1/pages", json={"pages": [page(1)]}, headers=authorised)
    assert (refused.status_code, refused.json["error"]["code"]) == (503, "not_ready")
    assert all(runner.stop(timeout_seconds=10) for runner in runners)
