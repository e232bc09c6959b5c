"""Tiny random sentence-transformers folders and cross-encoders: what they say is noise, how they are read is real."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaModel,
)

#: Spread of the weights: wide enough that different texts get clearly different results.
SPREAD = 0.4
SIZES = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:;?!'-"


def bert_tokenizer(window: int) -> PreTrainedTokenizerFast:
    """One token a letter, lower case; pairs are ``[CLS] question [SEP] document [SEP]`` of types 0 and 1."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = {token: at for at, token in enumerate([*special, *_LETTERS, *(f"##{letter}" for letter in _LETTERS)])}
    tokens = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10_000))
    tokens.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokens.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokens.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        model_max_length=window,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def roberta_tokenizer(window: int) -> PreTrainedTokenizerFast:
    """One token a byte; pairs are ``<s> question </s></s> document </s>`` without types; padding has id 1."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE(vocab={token: at for at, token in enumerate([*special, *alphabet])}, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        model_max_length=window,
        pad_token="<pad>",
        unk_token="<unk>",
        cls_token="<s>",
        sep_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        model_input_names=["input_ids", "attention_mask"],
    )


def _write(folder: Path, network: Any, tokens: PreTrainedTokenizerFast, seed: int) -> Path:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.dim() > 1:
                weights.normal_(0, SPREAD, generator=generator)
    network.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def bert_embedder(folder: Path, *, window: int = 64) -> Path:
    """CLS pooling and normalisation; prefixes for queries and passages, as E5's files would name them."""
    tokens = bert_tokenizer(512)
    network = BertModel(
        BertConfig(vocab_size=len(tokens), max_position_embeddings=128, **SIZES), add_pooling_layer=False
    )
    _write(folder, network, tokens, seed=1)
    prompts = {"query": "query: ", "passage": "passage: "}
    return _modules(folder, window=window, pooling="cls", prompts=prompts, normalize=True)


def roberta_embedder(folder: Path, *, window: int = 96) -> Path:
    """Mean pooling, no normalisation, a prompt for queries alone, and positions that begin after the padding."""
    tokens = roberta_tokenizer(512)
    config = XLMRobertaConfig(
        vocab_size=len(tokens), max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, **SIZES
    )
    _write(folder, XLMRobertaModel(config, add_pooling_layer=False), tokens, seed=2)
    prompts = {"query": "Represent this question for finding passages: ", "document": ""}
    return _modules(folder, window=window, pooling="mean", prompts=prompts, normalize=False)


def dense_embedder(folder: Path, *, dimensions: int) -> Path:
    """Mean pooling with a layer behind it that makes vectors of another size."""
    from sentence_transformers.sentence_transformer.modules import Dense

    roberta_embedder(folder)
    torch.manual_seed(5)
    layer = Dense(SIZES["hidden_size"], dimensions, bias=False, activation_function=torch.nn.Identity())
    (folder / "2_Dense").mkdir()
    layer.save(str(folder / "2_Dense"))
    modules = json.loads((folder / "modules.json").read_text())
    modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (folder / "modules.json").write_text(json.dumps(modules))
    return folder


def with_prompts(folder: Path, prompts: dict[str, str], default: str | None) -> Path:
    """Write other prompts into a model's file; ``default`` names the one of texts whose type is not said."""
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": prompts, "default_prompt_name": default})
    )
    return folder


def _modules(folder: Path, *, window: int, pooling: str, prompts: dict[str, str], normalize: bool) -> Path:
    kinds = ["Transformer", "Pooling", *(["Normalize"] if normalize else [])]
    names = ["", "1_Pooling", "2_Normalize"]
    modules = [
        {"idx": at, "name": str(at), "path": names[at], "type": f"sentence_transformers.models.{kind}"}
        for at, kind in enumerate(kinds)
    ]
    documents = {
        "modules.json": modules,
        "sentence_bert_config.json": {"max_seq_length": window, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": prompts, "default_prompt_name": None},
        "1_Pooling/config.json": {
            "word_embedding_dimension": SIZES["hidden_size"],
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
        },
    }
    for name, document in documents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(document))
    return folder


def bert_cross_encoder(folder: Path, *, window: int = 48, labels: int = 1) -> Path:
    """A cross-encoder with token types."""
    tokens = bert_tokenizer(window)
    config = BertConfig(vocab_size=len(tokens), max_position_embeddings=128, num_labels=labels, **SIZES)
    return _write(folder, BertForSequenceClassification(config), tokens, seed=3)


def roberta_cross_encoder(folder: Path) -> Path:
    """A cross-encoder without token types, whose files promise two positions more than it has."""
    tokens = roberta_tokenizer(512)
    config = XLMRobertaConfig(
        vocab_size=len(tokens), max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, num_labels=1, **SIZES
    )
    return _write(folder, XLMRobertaForSequenceClassification(config), tokens, seed=4)
