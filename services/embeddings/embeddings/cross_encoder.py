"""A cross-encoder on the CPU: it reads a question together with a document and says how relevant that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from atoll.errors import StartRefused
from atoll.serving.errors import ModelFailed
from atoll.serving.start import reading_model
from embeddings.model import window_tokens
from embeddings.pairing import Pair, PairTokenizer
from embeddings.precision import PROBES, settle
from embeddings.tokenizing import padded_length

Score = NDArray[np.float32]

#: Least agreement of bf16 with fp32. bf16 has three digits, so a relevance near 1/2 may move in its third one.
AGREEMENT = 0.99
#: What the probe texts are ranked by when the arithmetic is chosen.
_PROBE_QUESTION = "How often is the safety valve checked?"


@dataclass(frozen=True, slots=True)
class LoadedCrossEncoder:
    """A cross-encoder that has made a forward pass.

    ``agreement`` is 1 less the largest difference between a probe's relevance and the one in fp32.
    """

    name: str
    tokenizer: PairTokenizer
    forward: PairForward
    dtype: str
    agreement: float


class PairForward:
    """The forward pass; safe to call from several threads."""

    def __init__(self, network: CrossEncoder) -> None:
        self._network = network
        self._pad_id = int(network.tokenizer.pad_token_id or 0)
        self._typed = "token_type_ids" in network.tokenizer.model_input_names

    def __call__(self, batch: Sequence[Pair]) -> Sequence[Score]:
        """Return the relevance of each pair, between 0 and 1, as an array of shape (1,).

        It is the logistic function of the model's score, whatever function the model's own files name: some leave
        the score as it is, and then it has no scale that two models share.

        Raises:
            ModelFailed: a score is not finite.
        """
        shape = (len(batch), padded_length(max(len(pair.ids) for pair in batch)))
        features = {
            "input_ids": np.full(shape, self._pad_id, dtype=np.int64),
            "attention_mask": np.zeros(shape, dtype=np.int64),
        }
        if self._typed:
            features["token_type_ids"] = np.zeros(shape, dtype=np.int64)
        for row, pair in enumerate(batch):
            features["input_ids"][row, : len(pair.ids)] = pair.ids
            features["attention_mask"][row, : len(pair.ids)] = 1
            if self._typed:
                features["token_type_ids"][row, : len(pair.ids)] = pair.type_ids
        with torch.inference_mode():
            tensors = {name: torch.from_numpy(values) for name, values in features.items()}
            scores = torch.sigmoid(self._network(tensors)["scores"].float()).reshape(len(batch), 1).numpy()
        if not np.isfinite(scores).all():
            raise ModelFailed("the cross-encoder gave a score that is not finite")
        return list(scores)


def load(folder: Path, *, dtype: str, tokenizing_threads: int) -> LoadedCrossEncoder:
    """Load the cross-encoder and choose its arithmetic, as for ``settle``.

    Raises:
        StartRefused: the folder cannot be loaded, its model gives more than one score, or bf16 was demanded and
            does not agree.
    """
    network = _read(folder)
    tokenizer = _tokenizer(network, folder, tokenizing_threads)
    probes = sorted(tokenizer.prepare(_PROBE_QUESTION, PROBES, truncate=True).pairs, key=lambda pair: len(pair.ids))
    exact = PairForward(network)
    reference = np.concatenate(list(exact(probes)))
    forward, chosen, agreement = settle(
        dtype,
        exact,
        fast=lambda: PairForward(_read(folder).to(torch.bfloat16)),
        agreement=lambda candidate: float(1 - np.abs(np.concatenate(list(candidate(probes))) - reference).max()),
        least=AGREEMENT,
    )
    return LoadedCrossEncoder(name=folder.name, tokenizer=tokenizer, forward=forward, dtype=chosen, agreement=agreement)


def _read(folder: Path) -> CrossEncoder:
    with reading_model(folder):
        network: CrossEncoder = CrossEncoder(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    if getattr(network[0], "transformer_task", None) != "sequence-classification":
        raise StartRefused(f"{folder} is no cross-encoder with a classification head; choose another model")
    if network.num_labels != 1:
        raise StartRefused(f"{folder} gives {network.num_labels} scores a pair; a cross-encoder that ranks gives one")
    network.eval()
    return network


def _tokenizer(network: CrossEncoder, folder: Path, concurrency: int) -> PairTokenizer:
    backend = getattr(network.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise StartRefused(f"{folder} has no fast tokenizer; convert it to tokenizer.json")
    return PairTokenizer(backend.to_str(), max_tokens=window_tokens(network), concurrency=concurrency)
