"""Every embedder keeps the port's promises: the memory twin, and the HTTP adapter before our API and a foreign one."""

from __future__ import annotations

import base64
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anyio
import numpy as np
import pytest

from atoll.adapters import http_embedder
from atoll.adapters.http_embedder import PIECE_CHARACTERS, HttpEmbedder, estimate
from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.adapters.model_server import ATTEMPTS
from atoll.domain.embedding import InputType
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid, NotAvailable
from tests.support import stub_embedder
from tests.support.listening import serving


def scripted(*answers: tuple[int, object, dict[str, str]]):
    """A server that gives one answer after the other, the last one for ever, and keeps what it was asked."""
    asked: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args) -> None:
            pass

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self._answer()

        def _answer(self) -> None:
            status, body, headers = answers[min(max(len(asked), 1), len(answers)) - 1]
            payload = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(payload)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler), asked


def encoded(*numbers: float) -> str:
    return base64.b64encode(np.array(numbers, dtype="<f4").tobytes()).decode()


def vectors(*rows) -> dict:
    return {"data": [{"index": at, "embedding": list(row)} for at, row in enumerate(rows)]}


@pytest.fixture(params=["memory", "ours", "foreign"])
async def embedder(request):
    if request.param == "memory":
        yield MemoryEmbedder()
        return
    with serving(stub_embedder.create()) as url:
        ours = request.param == "ours"
        address = url if ours else url + "/v1"
        async with HttpEmbedder(url=address, ours=ours, request_texts=3, concurrent_requests=2) as adapter:
            yield adapter


async def test_rows_are_unit_vectors_in_the_order_of_the_texts(embedder):
    texts = [f"tide number {number}" for number in range(20)] + [""]
    rows = await embedder.embed(texts, input_type=InputType.DOCUMENT)
    card = await embedder.describe()
    assert rows.shape == (21, card.dimensions)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    again = await embedder.embed(texts[::-1], input_type=InputType.DOCUMENT)
    np.testing.assert_allclose(again[::-1], rows, atol=1e-6)
    assert rows[0] @ rows[1] > rows[0] @ (await embedder.embed(["coral reef"], input_type=InputType.QUERY))[0]


async def test_parts_of_texts_come_with_them(embedder):
    card = await embedder.describe()
    texts = ["the valve was tested. the ferry leaves.", "tide", "a lantern"]
    spans = [[(0, 21), (22, 39), (5, 5)], [], [(0, 9)]]
    if not card.has_spans:
        with pytest.raises(NotAvailable, match="parts"):
            await embedder.embed_spans(texts, spans, input_type=InputType.DOCUMENT)
        return
    found = await embedder.embed_spans(texts, spans, input_type=InputType.DOCUMENT)
    np.testing.assert_allclose(found.texts, await embedder.embed(texts, input_type=InputType.DOCUMENT), atol=1e-6)
    assert [rows.shape for rows in found.spans] == [(3, card.dimensions), (0, card.dimensions), (1, card.dimensions)]
    np.testing.assert_allclose(found.spans[0][2], found.means[0], atol=1e-6)  # nothing was read of an empty part
    np.testing.assert_allclose(found.spans[2][0], found.means[2], atol=1e-6)
    apart, _, same = found.told_apart(0.5)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([apart, same]), axis=1), 1, atol=1e-5)
    valve, ferry, _ = found.told_apart(0.0)[0]
    assert apart[0] @ apart[1] < valve @ ferry
    (wholly,) = found.told_apart(1.0)[2]  # nothing is left of a part that is its text
    np.testing.assert_allclose(wholly, found.texts[2], atol=1e-5)
    nothing = await embedder.embed_spans([], [], input_type=InputType.DOCUMENT)
    assert (len(nothing.texts), len(nothing.means), list(nothing.spans)) == (0, 0, [])


async def test_many_parts_go_in_several_requests(monkeypatch):
    monkeypatch.setattr(http_embedder, "REQUEST_SPANS", 4)
    server, asked = scripted(
        (200, {"data": [{"index": 0, "embedding": [1, 0], "mean": [1, 0], "spans": [[1, 0]] * 3}]}, {})
    )
    with serving(server) as url:
        async with HttpEmbedder(url=url) as adapter:
            found = await adapter.embed_spans(["ab", "cd"], [[(0, 1)] * 3] * 2, input_type=InputType.QUERY)
    assert [each["spans"] for each in asked] == [[[[0, 1]] * 3]] * 2
    assert [len(rows) for rows in found.spans] == [3, 3]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"mean": [1, 0], "spans": []}, "other parts"),
        ({"mean": [1, 0]}, "another shape"),
        ({"mean": [1, 0], "spans": [[1, 0, 0]]}, "another shape"),
        ({"mean": encoded(np.nan, 0), "spans": [[1, 0]]}, "not finite"),
    ],
)
async def test_parts_that_are_not_what_was_asked_for_are_an_error(row, said):
    server, _ = scripted((200, {"data": [{"index": 0, "embedding": [1, 0], **row}]}, {}))
    with serving(server) as url:
        async with HttpEmbedder(url=url) as adapter:
            with pytest.raises(ModelReplyInvalid, match=said):
                await adapter.embed_spans(["ab"], [[(0, 1)]], input_type=InputType.DOCUMENT)


async def test_no_texts_no_rows(embedder):
    assert len(await embedder.embed([], input_type=InputType.QUERY)) == 0
    assert await embedder.tokenize([]) == []


async def test_tokens_of_every_text_end_in_order_inside_it(embedder):
    texts = ["", "tide tables, 2024", "潮汐表 🌊", "word " * 30_000]
    assert len(texts[-1]) > 2 * PIECE_CHARACTERS
    for text, spans in zip(texts, await embedder.tokenize(texts), strict=True):
        assert list(spans.ends) == sorted(set(spans.ends))
        assert all(0 < end <= len(text) for end in spans.ends)
        assert spans.count >= len(text.split())


async def test_long_texts_are_counted_as_if_they_went_in_one_piece():
    text = "tide tables, 2024 " * 9_000
    with serving(stub_embedder.create()) as url:
        async with HttpEmbedder(url=url) as adapter:
            assert await adapter.tokenize([text]) == [MemoryEmbedder().spans(text)]


async def test_a_foreign_server_gets_nothing_but_openai_fields():
    server, asked = scripted((200, vectors([3, 4]), {}))
    with serving(server) as url:
        async with HttpEmbedder(url=url, ours=False, model="m") as adapter:
            rows = await adapter.embed(["a"], input_type=InputType.QUERY)
    assert asked == [{"model": "m", "input": ["a"], "encoding_format": "base64"}]
    np.testing.assert_allclose(rows, [[0.6, 0.8]])  # not of unit length there: made so here


async def test_a_server_without_tokenize_is_replaced_by_an_estimate_that_errs_high():
    server, _ = scripted((404, {"error": {"message": "no"}}, {}))
    with serving(server) as url:
        async with HttpEmbedder(url=url, ours=False) as adapter:
            (spans,) = await adapter.tokenize(["the tide tables of the harbour"])
    assert spans == estimate("the tide tables of the harbour")
    assert spans.count >= 6
    assert estimate("潮汐表").ends == (1, 2, 3)


NAN = base64.b64encode(np.array([np.nan, 1], dtype="<f4").tobytes()).decode()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        [],
        {"data": []},
        {"data": [{"index": 1, "embedding": [1.0, 0.0]}]},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": "###"}]},
        {"data": [{"index": 0, "embedding": NAN}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 0, "embedding": [0.5, 0.5]}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": [[1.0]]}]},
        vectors([1, 0, 0]),
        vectors([1, 0], [1, 0]),
    ],
)
async def test_replies_of_another_shape_are_told_apart_from_an_absent_server(body):
    server, _ = scripted((200, body, {}))
    with serving(server) as url:
        async with HttpEmbedder(url=url, dimensions=2) as adapter:
            with pytest.raises(ModelReplyInvalid):
                await adapter.embed(["a"], input_type=InputType.DOCUMENT)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BadInput),
        (401, DependencyDown),
        (429, DependencyDown),
        (500, ModelReplyInvalid),
        (503, DependencyDown),
        (404, ModelReplyInvalid),
    ],
)
async def test_statuses_become_errors_that_say_whether_to_come_back(status, error):
    server, asked = scripted((status, {"error": {"message": "because"}}, {"Retry-After": "7"}))
    with serving(server) as url:
        async with HttpEmbedder(url=url) as adapter:
            with pytest.raises(error) as refusal:
                await adapter.embed(["a"], input_type=InputType.DOCUMENT)
    assert len(asked) == 1
    if error is DependencyDown:
        assert refusal.value.retry_after_seconds == 7
        assert "because" in refusal.value.message


async def test_a_reset_connection_is_tried_again_a_bounded_number_of_times():
    asked = []

    class Resets(BaseHTTPRequestHandler):
        def log_message(self, *args) -> None:
            pass

        def do_POST(self) -> None:
            asked.append(self.path)
            self.close_connection = True  # without an answer

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Resets)) as url:
        async with HttpEmbedder(url=url) as adapter:
            with pytest.raises(DependencyDown, match="away"):
                await adapter.embed(["a"], input_type=InputType.DOCUMENT)
    assert len(asked) == ATTEMPTS


async def test_searches_given_up_half_way_leave_the_connections_to_the_next_one():
    texts = [f"tide number {number}" for number in range(4)]
    with serving(stub_embedder.create(delay_seconds=0.05)) as url:
        async with HttpEmbedder(url=url, request_texts=1, concurrent_requests=2, timeout_seconds=2) as adapter:
            for _ in range(8):
                # cancels again and again until everything inside has ended, as a web server does
                with anyio.move_on_after(0.02) as given_up:
                    await adapter.embed(texts, input_type=InputType.QUERY)
                assert given_up.cancelled_caught
            rows = await adapter.embed(texts, input_type=InputType.QUERY)
    assert len(rows) == len(texts)
