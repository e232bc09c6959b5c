from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from atoll.errors import BadInput, StartRefused
from atoll.serving.errors import InputTooLong
from embeddings import cross_encoder
from embeddings.tokenizing import MAX_CHARACTERS
from tests.support import tiny_models

QUESTION = "How often is the safety valve checked?"
DOCUMENTS = [
    "The safety valve is checked every six months.",
    "",
    "🙂",
    "يجب فحص صمام الأمان كل ستة أشهر.",
    "a",
    "tide " * 100,
    "Filters are cleaned on the first Monday.",
]


@pytest.fixture(params=[tiny_models.bert_cross_encoder, tiny_models.roberta_cross_encoder])
def folder(request, tmp_path) -> Path:
    return request.param(tmp_path / "ranker")


def loaded(folder: Path, dtype: str = "fp32") -> cross_encoder.LoadedCrossEncoder:
    return cross_encoder.load(folder, dtype=dtype, tokenizing_threads=1)


def scores(ranker: cross_encoder.LoadedCrossEncoder, documents: list[str]) -> np.ndarray:
    """One batch, longest first, as the queue forms them."""
    pairs = ranker.tokenizer.prepare(QUESTION, documents, truncate=True).pairs
    order = sorted(range(len(pairs)), key=lambda at: -len(pairs[at].ids))
    found = np.zeros(len(pairs))
    found[order] = np.concatenate(list(ranker.forward([pairs[at] for at in order])))
    return found


def test_scores_are_those_of_sentence_transformers(folder):
    from sentence_transformers import CrossEncoder
    from torch.nn import Sigmoid

    ranker = loaded(folder)
    reference = CrossEncoder(
        str(folder), device="cpu", local_files_only=True, max_length=ranker.tokenizer.max_tokens
    ).predict([(QUESTION, document) for document in DOCUMENTS], activation_fn=Sigmoid())
    np.testing.assert_allclose(scores(ranker, DOCUMENTS), reference, atol=1e-5)
    assert np.ptp(reference) > 0.01, "a fixture that scores everything alike shows nothing"


def test_a_score_does_not_depend_on_the_batch(folder):
    ranker = loaded(folder)
    alone = np.concatenate([scores(ranker, [document]) for document in DOCUMENTS])
    np.testing.assert_allclose(scores(ranker, DOCUMENTS), alone, atol=1e-5)


def test_a_pair_over_the_window_is_refused_by_name_or_cut(folder):
    ranker = loaded(folder)
    with pytest.raises(InputTooLong, match=rf"document 5 has \d+ tokens .* reads {ranker.tokenizer.max_tokens}"):
        ranker.tokenizer.prepare("q", ["a"] * 5 + ["tide " * 100], truncate=False)
    prepared = ranker.tokenizer.prepare("q", ["a", "tide " * 100], truncate=True)
    assert prepared.truncated == 1
    assert len(prepared.pairs[1].ids) == ranker.tokenizer.max_tokens
    assert scores(ranker, ["tide " * 100]).shape == (1,)
    with pytest.raises(BadInput, match="characters"):
        ranker.tokenizer.prepare("q", ["a" * MAX_CHARACTERS], truncate=True)


def test_the_window_is_what_the_model_has_positions_for(tmp_path):
    assert loaded(tiny_models.bert_cross_encoder(tmp_path / "a", window=48)).tokenizer.max_tokens == 48
    assert loaded(tiny_models.bert_cross_encoder(tmp_path / "b", window=512)).tokenizer.max_tokens == 128
    assert loaded(tiny_models.roberta_cross_encoder(tmp_path / "c")).tokenizer.max_tokens == 64


def test_bf16_is_taken_only_when_it_agrees(tmp_path, monkeypatch):
    folder = tiny_models.bert_cross_encoder(tmp_path / "ranker")
    monkeypatch.setattr(cross_encoder, "AGREEMENT", 0.9)
    agreeing = loaded(folder, "bf16")
    assert agreeing.dtype == "bf16"
    assert 0.9 <= agreeing.agreement <= 1
    monkeypatch.setattr(cross_encoder, "AGREEMENT", 1.1)
    assert loaded(folder, "auto").dtype == "fp32"
    with pytest.raises(StartRefused, match=r"bf16 agrees .* ATOLL_EMBEDDINGS__DTYPE=fp32"):
        loaded(folder, "bf16")


def test_a_classifier_is_no_reranker(tmp_path):
    with pytest.raises(StartRefused, match="gives 3 scores a pair"):
        loaded(tiny_models.bert_cross_encoder(tmp_path / "classes", labels=3))
