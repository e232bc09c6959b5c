"""Embeddings as OpenAI's clients ask for them."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import numpy as np
import pytest

from atoll.domain.principal import Role
from atoll.errors import DependencyDown
from tests.unit.gateway.conftest import Site
from tests.unit.gateway.openai.conftest import error_of

EMBEDDINGS = "/v1/embeddings"
TEXTS = ["The harbour of Lindvik", "boats", ""]


async def test_vectors_come_as_numbers_and_as_base64(site: Site, owner: httpx.AsyncClient) -> None:
    expected = site.house.embedder.vectors(TEXTS)
    answer = (await owner.post(EMBEDDINGS, json={"model": "any", "input": TEXTS})).json()
    assert (answer["object"], answer["model"]) == ("list", "hashed-words")
    assert [row["index"] for row in answer["data"]] == [0, 1, 2]
    np.testing.assert_allclose([row["embedding"] for row in answer["data"]], expected, rtol=1e-6)
    assert answer["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    packed = (await owner.post(EMBEDDINGS, json={"model": "any", "input": TEXTS, "encoding_format": "base64"})).json()
    rows = [np.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4") for row in packed["data"]]
    np.testing.assert_array_equal(rows, expected)
    one = (await owner.post(EMBEDDINGS, json={"model": "any", "input": TEXTS[0], "dimensions": 16})).json()
    row = np.array(one["data"][0]["embedding"])
    assert (len(row), round(float(np.linalg.norm(row)), 5)) == (16, 1.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"input": [1, 2, 3]}, "check_embedding_ctx_length=False"),
        ({"input": [[1, 2], [3]]}, "check_embedding_ctx_length=False"),
        ({"input": []}, "input: must be"),
        ({"input": None}, "input: must be"),
        ({"input": {"text": "x"}}, "input: must be"),
        ({"input": ["x", 1]}, "input: must be"),
        ({"input": ["x"] * 2049}, "2048"),
        ({"input": "word " * 97}, "97 tokens and the model reads 96"),
        ({"input": "x", "dimensions": 65}, "dimensions: must be at most 64"),
        ({"input": "x", "encoding_format": "hex"}, "encoding_format"),
    ],
)
async def test_what_cannot_be_embedded_is_refused(owner: httpx.AsyncClient, change: dict[str, Any], said: str) -> None:
    error = error_of(await owner.post(EMBEDDINGS, json={"model": "any", **change}), 400)
    assert said in error["message"]
    assert error["param"] in {"input", "dimensions", "encoding_format"}


async def test_who_may_not_read_gets_no_vectors(site: Site) -> None:
    async with site.client(await site.key(Role.AUDITOR)) as auditor, site.client() as stranger:
        error_of(await auditor.post(EMBEDDINGS, json={"model": "any", "input": "x"}), 403)
        error_of(await stranger.post(EMBEDDINGS, json={"model": "any", "input": "x"}), 401)


async def test_a_busy_model_says_when_to_come_back(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_: object, **__: object) -> object:
        raise DependencyDown("the embedding server is busy", 3.0)

    monkeypatch.setattr(site.house.embedder, "embed", busy)
    answer = await owner.post(EMBEDDINGS, json={"model": "any", "input": "x"})
    error_of(answer, 503)
    assert answer.headers["retry-after"] == "3"
