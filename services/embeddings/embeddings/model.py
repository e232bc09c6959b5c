"""A sentence-transformers model on the CPU: loading, precision, and the forward pass."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

from atoll.errors import StartRefused
from atoll.serving.errors import ModelFailed
from atoll.serving.start import reading_model
from embeddings.precision import PROBES, settle
from embeddings.tokenizing import Text, TextTokenizer, padded_length

#: The vectors of one input, (count, dimensions). The first is its own, of length 1. Where parts of it were asked for,
#: two and more follow, of no particular length: the mean over its tokens, and the mean over those of each part.
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that has made a forward pass. ``agreement`` is the least cosine to fp32 over the probe texts."""

    tokenizer: TextTokenizer
    forward: Forward
    dimensions: int
    dtype: str
    agreement: float
    prompts: Mapping[str, str]


class Forward:
    """The forward pass; safe to call from several threads."""

    def __init__(self, network: SentenceTransformer, pad_id: int) -> None:
        self._network = network
        self._pad_id = pad_id
        modules = list(network)
        pooling = next((at for at, module in enumerate(modules) if isinstance(module, Pooling)), None)
        #: Whether parts of a text can have vectors: what comes before the pooling makes one a token.
        self.has_spans = pooling is not None
        behind = [] if pooling is None else modules[pooling + 1 :]
        self._behind_pooling = [module for module in behind if not isinstance(module, Normalize)]

    def __call__(self, batch: Sequence[Text]) -> Sequence[Vectors]:
        """Return the vectors of each input.

        Raises:
            ModelFailed: a vector is not finite.
        """
        longest = padded_length(max(len(text.ids) for text in batch))
        input_ids = np.full((len(batch), longest), self._pad_id, dtype=np.int64)
        mask = np.zeros((len(batch), longest), dtype=np.int64)
        for row, text in enumerate(batch):
            input_ids[row, : len(text.ids)] = text.ids
            mask[row, : len(text.ids)] = 1
        features = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            found = self._network(features)
            rows = torch.nn.functional.normalize(found["sentence_embedding"].float(), dim=1).numpy()
            parts = list(self._parts(found, batch))
        if not np.isfinite(rows).all() or not all(np.isfinite(part).all() for part in parts):
            raise ModelFailed("the model gave a vector that is not finite")
        return [np.concatenate([row[None], part]) for row, part in zip(rows, parts, strict=True)]

    def _parts(self, found: Mapping[str, torch.Tensor], batch: Sequence[Text]) -> Iterator[Vectors]:
        """Yield the mean of each input and of its parts, nothing for an input without; an empty part has the mean."""
        for row, text in enumerate(batch):
            if text.spans is None:
                yield np.zeros((0, found["sentence_embedding"].shape[1]), dtype=np.float32)
                continue
            tokens = found["token_embeddings"][row, : len(text.ids)].float()
            sums = torch.nn.functional.pad(tokens.cumsum(dim=0), (0, 0, 1, 0))
            spans = torch.from_numpy(np.concatenate([[[0, len(text.ids)]], text.spans]))
            spans = torch.where((spans[:, 1] > spans[:, 0])[:, None], spans, spans[:1])
            means = (sums[spans[:, 1]] - sums[spans[:, 0]]) / (spans[:, 1] - spans[:, 0])[:, None]
            for module in self._behind_pooling:
                pooled = {"sentence_embedding": means.to(found["sentence_embedding"].dtype)}
                means = module(pooled)["sentence_embedding"].float()
            yield means.numpy()


def load(folder: Path, *, dtype: str, threads_per_worker: int, tokenizing_threads: int) -> LoadedModel:
    """Load the model and choose its arithmetic.

    ``dtype`` is as for ``settle``; agreement is the least cosine between a probe's two vectors.

    Raises:
        StartRefused: the folder cannot be loaded, or bf16 was demanded and does not agree.
    """
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(threads_per_worker)
    network = _read(folder)
    tokenizer = _tokenizer(network, folder, tokenizing_threads)
    probes = sorted(tokenizer.prepare(PROBES, input_type=None, truncate=True).texts, key=lambda text: len(text.ids))
    pad_id = int(network.tokenizer.pad_token_id or 0)
    forward = Forward(network, pad_id)
    reference = np.concatenate(list(forward(probes)))
    forward, chosen, agreement = settle(
        dtype,
        forward,
        fast=lambda: Forward(_read(folder).to(torch.bfloat16), pad_id),
        agreement=lambda candidate: float((np.concatenate(list(candidate(probes))) * reference).sum(axis=1).min()),
    )
    return LoadedModel(
        tokenizer=tokenizer,
        forward=forward,
        dimensions=reference.shape[1],
        dtype=chosen,
        agreement=agreement,
        prompts=_prompts(folder),
    )


def _read(folder: Path) -> SentenceTransformer:
    with reading_model(folder):
        network = SentenceTransformer(
            str(folder),
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32},
        )
    if not all(getattr(module, "include_prompt", True) for module in network):
        raise StartRefused(f"{folder}: pooling that leaves out the prompt is not supported; choose another model")
    return network.eval()


def _prompts(folder: Path) -> dict[str, str]:
    """Return the prefixes by input type; ``""`` is the type of requests that name none.

    They are read from the model's own file: the library fills in empty prompts for those that are absent, and an empty
    one is a choice. A model whose default is the prefix of queries says by ``"document": ""`` that documents have none.
    """
    file = folder / "config_sentence_transformers.json"
    chosen = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    given = {kind: prompt or "" for kind, prompt in (chosen.get("prompts") or {}).items()}
    default = given.get(chosen.get("default_prompt_name") or "", "")
    named = {"": (), "query": ("query",), "document": ("document", "passage", "corpus")}
    return {
        input_type: next((given[name] for name in names if name in given), default)
        for input_type, names in named.items()
    }


def _tokenizer(network: SentenceTransformer, folder: Path, concurrency: int) -> TextTokenizer:
    backend = getattr(network.tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise StartRefused(f"{folder} has no fast tokenizer; convert it to tokenizer.json")
    if not network.max_seq_length:
        raise StartRefused(f"{folder / 'sentence_bert_config.json'} names no max_seq_length; add it")
    return TextTokenizer(
        backend.to_str(), max_tokens=window_tokens(network), prompts=_prompts(folder), concurrency=concurrency
    )


def window_tokens(network: Any) -> int:
    """Return the longest input that a model has positions for: some architectures count from the padding's id on."""
    limit = int(network.max_seq_length)
    for module in network.modules():
        positions = getattr(module, "position_embeddings", None)
        if isinstance(positions, torch.nn.Embedding):
            first = 0 if positions.padding_idx is None else positions.padding_idx + 1
            limit = min(limit, positions.num_embeddings - first)
    return limit
