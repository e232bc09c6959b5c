"""Questions of the text-lines backend, with an embedding server that notes what it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from atoll.errors import NotAvailable, StartRefused
from atoll.serving.errors import ModelFailed
from colpali.backend import PageBackend
from colpali.embedding_client import EmbeddingClient
from colpali.text_lines import MAX_WORDS, WHOLE_WEIGHT, TextLines, telling_words
from tests.unit.colpali.test_app import serving

INFO = {"model": "m", "dimensions": 2, "weights_sha256": "w", "spans": True}


class Client:
    def __init__(self, dimensions: int = 2) -> None:
        self.asked: list[tuple[list[str], list]] = []
        self._dimensions = dimensions

    def embed_queries(self, texts, words):
        self.asked.append((texts, words))
        one = np.eye(self._dimensions, dtype=np.float32)
        return [(one[0], 3 * one[[1] * len(of)].reshape(-1, self._dimensions)) for of in words]


def words(text: str) -> list[str]:
    return [text[start:end] for start, end in telling_words(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the relief pressure of V-7?", ["What", "relief", "pressure", "V-7"]),
        ("a b c", []),
        ("Ö und 圧力 of 16", ["Ö", "圧力", "16"]),
        ("valve valve", ["valve"]),
    ],
)
def test_words_that_tell_are_long_numbers_or_not_ascii(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_a_question_is_its_whole_several_times_and_its_words_in_their_places() -> None:
    client = Client()
    backend = TextLines(client, INFO)
    questions = [backend.prepare_query(text)[0] for text in ("When was the pump repaired?", "ok")]
    long, short = backend.run_queries(questions)
    assert client.asked == [
        (["When was the pump repaired?", "ok"], [((0, 4), (13, 17), (18, 26)), ()])
    ]  # one request for all
    assert long.tolist() == [[1, 0]] * WHOLE_WEIGHT + [[0, 1]] * 3
    assert short.tolist() == [[1, 0]] * WHOLE_WEIGHT
    assert len(words(" ".join(f"word{at}" for at in range(100)))) == MAX_WORDS


def test_a_model_that_changed_its_size_is_told() -> None:
    backend = TextLines(Client(dimensions=3), INFO)
    with pytest.raises(ModelFailed, match="3 dimensions instead of 2; restart"):
        backend.run_queries([backend.prepare_query("valve")[0]])


def test_it_makes_no_pages_and_says_who_does() -> None:
    backend = TextLines(Client(), INFO)
    assert not isinstance(backend, PageBackend)
    assert (backend.card.from_passages, backend.card.needs_lines, backend.card.needs_images) == (True, False, False)
    client, service, runners = serving(backend)
    refused = client.post("/v1/pages", json={"pages": [{"width": 9, "height": 9}]})
    assert (refused.status_code, refused.json["error"]["code"]) == (501, "not_available")
    assert "/v1/embeddings" in refused.json["error"]["message"]
    assert client.post("/v1/queries", json={"queries": ["valve"]}).json["data"][0]["count"] == WHOLE_WEIGHT + 1
    with pytest.raises(NotAvailable):
        service.require_page_backend()
    assert all(runner.stop(timeout_seconds=10) for runner in runners)


def test_a_model_without_vectors_of_tokens_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    client = EmbeddingClient(url="http://127.0.0.1:9", token=None, timeout_seconds=1)
    monkeypatch.setattr(client, "_exchange", lambda *_: Answer({**INFO, "spans": False}))
    with pytest.raises(StartRefused, match="ATOLL_PAGES__BACKEND=colpali"):
        client.wait_for_info(0)
    monkeypatch.setattr(client, "_exchange", lambda *_: Answer({key: INFO[key] for key in ("model", "dimensions")}))
    with pytest.raises(StartRefused, match="Atoll's own server"):
        client.wait_for_info(0)


class Answer:
    def __init__(self, document: dict) -> None:
        self._document = document

    def json(self) -> dict:
        return self._document
