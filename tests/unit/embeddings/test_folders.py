"""Any sentence-transformers folder: prefixes, dimensions and window come from its files."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.model import LoadedModel, load
from tests.support import tiny_models

TEXTS = ["tide", "The safety valve is checked every six months.", "", "🙂", "يجب فحص صمام الأمان", "a" * 3000]


def vectors(model: LoadedModel, input_type: str | None) -> np.ndarray:
    texts = model.tokenizer.prepare(TEXTS, input_type=input_type, truncate=True).texts
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at].ids))
    rows = np.zeros((len(texts), model.dimensions))
    rows[order] = np.concatenate(list(model.forward([texts[at] for at in order])))
    return rows


@pytest.mark.parametrize(
    ("make", "window", "prompts"),
    [
        (tiny_models.bert_embedder, 64, {"query": "query: ", "document": "passage: ", None: ""}),
        (
            tiny_models.roberta_embedder,
            96,
            {"query": "Represent this question for finding passages: ", "document": "", None: ""},
        ),
    ],
)
def test_vectors_windows_and_prefixes_are_those_of_the_folder(tmp_path, make, window, prompts):
    from sentence_transformers import SentenceTransformer

    folder = make(tmp_path / "model", window=window)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    assert (model.dimensions, model.tokenizer.max_tokens) == (32, window)
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    for input_type, prompt in prompts.items():
        expected = reference.encode(TEXTS, prompt=prompt, normalize_embeddings=True)
        ours = vectors(model, input_type)
        assert (ours * expected).sum(axis=1).min() >= 0.9999, input_type
        assert (model.tokenizer.prompt_tokens(input_type) > 0) == bool(prompt)
    assert (vectors(model, "query") * vectors(model, None)).sum(axis=1).min() < 0.999, "the prefix changes vectors"


@pytest.mark.parametrize(
    ("prompts", "default", "expected"),
    [
        ({"query": "query : ", "document": ""}, "query", {"query": "query : ", "document": "", None: "query : "}),
        ({"query": "", "document": "text : "}, "document", {"query": "", "document": "text : ", None: "text : "}),
        ({"query": "query : "}, "query", {"query": "query : ", "document": "query : ", None: "query : "}),
        ({"query": "query : ", "corpus": "text : "}, None, {"query": "query : ", "document": "text : ", None: ""}),
    ],
)
def test_an_empty_prefix_is_not_an_absent_one(tmp_path, prompts, default, expected):
    """Documents got the prefix of queries where the model's file says that they have none."""
    folder = tiny_models.with_prompts(tiny_models.bert_embedder(tmp_path / "model", window=64), prompts, default)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    plain = load(
        tiny_models.with_prompts(folder, {}, None), dtype="fp32", threads_per_worker=1, tokenizing_threads=1
    ).tokenizer
    for input_type, prompt in expected.items():
        (with_prefix,) = model.tokenizer.prepare(["tide"], input_type=input_type, truncate=True).texts
        (written,) = plain.prepare([f"{prompt}tide"], input_type=None, truncate=True).texts
        assert list(with_prefix.ids) == list(written.ids), input_type


def test_a_window_beyond_the_models_positions_is_cut_to_them(tmp_path):
    folder = tiny_models.roberta_embedder(tmp_path / "model", window=514)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    assert model.tokenizer.max_tokens == 512
    assert np.isfinite(vectors(model, None)).all()


def _network(folder):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True)


@pytest.mark.parametrize("make", [tiny_models.bert_embedder, tiny_models.roberta_embedder])
def test_a_part_has_the_mean_of_its_tokens_alone_and_in_a_batch(tmp_path, make):
    folder = make(tmp_path / "model", window=64)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    texts = ["The valve. The ferry leaves at nine.", "tide"]
    spans = [[(0, 10), (11, 36), (4, 7), (5, 5)], []]
    prepared = model.tokenizer.prepare(texts, input_type="document", truncate=True, spans=spans).texts
    long, short = model.forward(prepared)
    (alone,) = model.forward(prepared[:1])
    np.testing.assert_allclose(long, alone, atol=1e-5)
    assert (long.shape, short.shape) == ((6, 32), (2, 32))
    network = _network(folder)
    prompt = (network.prompts or {}).get("passage") or ""
    tokens = network.encode(prompt + texts[0], prompt="", output_value="token_embeddings").numpy()
    encoding = network.tokenizer(prompt + texts[0], return_offsets_mapping=True)
    offsets = np.asarray(encoding["offset_mapping"]) - len(prompt)
    np.testing.assert_allclose(long[1], tokens.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(long[5], long[1], atol=1e-6)  # an empty part
    for (start, end), vector in zip(spans[0][:3], long[2:5], strict=True):
        inside = [at for at, (begin, last) in enumerate(offsets) if last > max(begin, start) and begin < end]
        np.testing.assert_allclose(vector, tokens[inside].mean(axis=0), atol=1e-5)


def test_parts_behind_the_window_have_the_vector_of_what_was_read(tmp_path):
    folder = tiny_models.bert_embedder(tmp_path / "model", window=16)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    text = "abc " * 30
    (prepared,) = model.tokenizer.prepare([text], input_type=None, truncate=True, spans=[[(80, 100), (0, 120)]]).texts
    (found,) = model.forward([prepared])
    np.testing.assert_allclose(found[2], found[1], atol=1e-6)
    assert len(prepared.ids) == 16
    assert prepared.spans.tolist()[1] == [1, 15]


def test_a_part_goes_through_what_stands_behind_the_pooling(tmp_path):
    folder = tiny_models.dense_embedder(tmp_path / "model", dimensions=8)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    (prepared,) = model.tokenizer.prepare(["tide table"], input_type=None, truncate=True, spans=[[(0, 4)]]).texts
    (found,) = model.forward([prepared])
    assert found.shape == (3, 8)
    # The mean over all tokens is this folder's own pooling.
    np.testing.assert_allclose(found[1] / np.linalg.norm(found[1]), found[0], atol=1e-5)
