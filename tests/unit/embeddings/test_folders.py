"""Any sentence-transformers folder: prefixes, dimensions and window come from its files."""

from __future__ import annotations

import numpy as np
import pytest

from embeddings.model import LoadedModel, load
from tests.support import tiny_models

TEXTS = ["tide", "The safety valve is checked every six months.", "", "🙂", "يجب فحص صمام الأمان", "a" * 3000]


def vectors(model: LoadedModel, input_type: str | None) -> np.ndarray:
    ids = model.tokenizer.prepare(TEXTS, input_type=input_type, truncate=True).ids
    order = sorted(range(len(ids)), key=lambda at: -len(ids[at]))
    rows = np.zeros((len(ids), model.dimensions))
    rows[order] = np.stack(list(model.forward([ids[at] for at in order])))
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


def test_a_window_beyond_the_models_positions_is_cut_to_them(tmp_path):
    folder = tiny_models.roberta_embedder(tmp_path / "model", window=514)
    model = load(folder, dtype="fp32", threads_per_worker=1, tokenizing_threads=1)
    assert model.tokenizer.max_tokens == 512
    assert np.isfinite(vectors(model, None)).all()
