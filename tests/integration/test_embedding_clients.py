"""Official clients embed through the server as they are."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pytest

from tests.support.embedding_server import Server, running

pytestmark = [pytest.mark.slow, pytest.mark.environment("clients")]

TEXTS = ["tide tables of the northern quay", "", "安全阀每六个月检查一次。", "harbour office " * 20]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("clients")) as started:
        yield started


@pytest.fixture(scope="module")
def expected(server) -> np.ndarray:
    return server.vectors(TEXTS)


def same(rows: object, expected: np.ndarray) -> None:
    found = np.asarray(rows, dtype=np.float32)
    assert found.shape == expected.shape
    assert (found * expected).sum(axis=1).min() >= 0.999


def test_openai_in_its_default_base64_and_as_numbers(server, expected):
    from openai import BadRequestError, OpenAI

    with OpenAI(base_url=f"{server.url}/v1", api_key="unused") as client:
        reply = client.embeddings.create(model="all-MiniLM-L6-v2", input=TEXTS)
        same([row.embedding for row in reply.data], expected)
        assert reply.usage.total_tokens > 0
        numbers = client.embeddings.create(model="any", input=TEXTS, encoding_format="float")
        same([row.embedding for row in numbers.data], expected)
        assert len(client.embeddings.create(model="any", input="tide", dimensions=64).data[0].embedding) == 64
        with pytest.raises(BadRequestError, match="the model reads 256") as refused:
            client.embeddings.create(model="any", input="tide " * 400)
        assert refused.value.code == "context_length_exceeded"


def test_langchain_with_the_hint_followed_and_what_it_reads_without(server, expected):
    from langchain_openai import OpenAIEmbeddings

    where = {"base_url": f"{server.url}/v1", "api_key": "unused", "model": "all-MiniLM-L6-v2"}
    embeddings = OpenAIEmbeddings(**where, check_embedding_ctx_length=False)
    same(embeddings.embed_documents(TEXTS), expected)
    same([embeddings.embed_query(TEXTS[0])], expected[:1])


def test_token_ids_as_langchain_sends_them_by_default_are_answered_with_the_hint(server):
    # langchain-openai cuts texts with tiktoken, whose vocabulary is fetched: what it sends is sent here without it
    from openai import BadRequestError, OpenAI

    with (
        OpenAI(base_url=f"{server.url}/v1", api_key="unused") as client,
        pytest.raises(BadRequestError, match="check_embedding_ctx_length=False"),
    ):
        client.embeddings.create(model="any", input=[[83, 579, 12534]])


def test_llama_index(server, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library warns about itself while it is imported
        from llama_index.embeddings.openai_like import OpenAILikeEmbedding

    embeddings = OpenAILikeEmbedding(model_name="all-MiniLM-L6-v2", api_base=f"{server.url}/v1", api_key="unused")
    asked = [TEXTS[0], TEXTS[2], TEXTS[3]]  # it refuses empty texts itself
    same(embeddings.get_text_embedding_batch(asked), expected[[0, 2, 3]])
    same([embeddings.get_query_embedding(TEXTS[0])], expected[:1])
