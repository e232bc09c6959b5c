"""Tiny random checkpoints of the ColPali families, made on the spot: what they see is noise, how they work is real.

``python -m tests.support.colpali_fixture FOLDER`` writes one of each; nothing is fetched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from colpali.checkpoint import BASE
from colpali.engine import import_models

#: Spread of the weights: wide enough that different pages get clearly different vectors.
SPREAD = 0.4
#: Every tile of the tile families: 64 pixels, 4 x 4 vectors.
TILE_PIXELS, TILE_SIDE = 64, 4
_WIDTH = 32


def byte_tokenizer(*special: str, **named: str) -> PreTrainedTokenizerFast:
    """A tokenizer with one token a byte, so that there is nothing to train; ``named`` tokens become its attributes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(alphabet)}, merges=[]))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    tokens.add_special_tokens(["<pad>", "<bos>", "<eos>", "<unk>", *special])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokens,
        model_max_length=8192,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        extra_special_tokens=named,
    )


def _tile_tokens() -> list[str]:
    rows = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    return ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>", *rows]


def _siglip(**changes: Any) -> Mapping[str, Any]:
    sizes = {"hidden_size": _WIDTH, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return {**sizes, **changes}


def colmodernvbert() -> tuple[Any, Any]:
    """61 thousand parameters; a square page becomes 2 x 2 tiles and an overview."""
    engine, _ = import_models()  # first: it makes transformers' image processors importable
    from transformers import Idefics3ImageProcessorPil, ModernBertConfig, ModernVBertConfig, SiglipVisionConfig

    tokens = byte_tokenizer("[CLS]", "[SEP]", "<|begin_of_text|>", *_tile_tokens())
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 2 * TILE_PIXELS}, max_image_size={"longest_edge": TILE_PIXELS}
    )
    processor = engine.ColModernVBertProcessor(image_processor=images, tokenizer=tokens, image_seq_len=TILE_SIDE**2)
    ids = tokens.convert_tokens_to_ids
    text = ModernBertConfig(
        vocab_size=len(processor.tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        pad_token_id=tokens.pad_token_id,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        cls_token_id=ids("[CLS]"),
        sep_token_id=ids("[SEP]"),
    )
    vision = SiglipVisionConfig(**_siglip(image_size=TILE_PIXELS, patch_size=8, vision_use_head=False))
    config = ModernVBertConfig(
        text_config=text.to_dict(),
        vision_config=vision.to_dict(),
        pixel_shuffle_factor=2,
        image_token_id=ids("<image>"),
    )
    return engine.ColModernVBert(config), processor


def colidefics3() -> tuple[Any, Any]:
    """ColSmol's family: the same tiles as ColModernVBERT, before a causal language model."""
    engine, _ = import_models()
    from transformers import Idefics3Config, Idefics3ImageProcessorPil, LlamaConfig

    tokens = byte_tokenizer("<|im_start|>", *_tile_tokens())
    images = Idefics3ImageProcessorPil(
        size={"longest_edge": 2 * TILE_PIXELS}, max_image_size={"longest_edge": TILE_PIXELS}
    )
    processor = engine.ColIdefics3Processor(image_processor=images, tokenizer=tokens, image_seq_len=TILE_SIDE**2)
    text = LlamaConfig(
        vocab_size=len(processor.tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        pad_token_id=tokens.pad_token_id,
    )
    config = Idefics3Config(
        text_config=text.to_dict(),
        vision_config=_siglip(image_size=TILE_PIXELS, patch_size=8),
        scale_factor=2,
        image_token_id=tokens.convert_tokens_to_ids("<image>"),
        pad_token_id=tokens.pad_token_id,
    )
    return engine.ColIdefics3(config), processor


def colpali() -> tuple[Any, Any]:
    """Every page becomes one square of 4 x 4 patches."""
    engine, _ = import_models()
    from transformers import GemmaConfig, PaliGemmaConfig, SiglipImageProcessorPil, SiglipVisionConfig

    tokens = byte_tokenizer("<image>", image_token="<image>")
    images = SiglipImageProcessorPil(size={"height": 56, "width": 56})
    images.image_seq_length = 16
    processor = engine.ColPaliProcessor(image_processor=images, tokenizer=tokens)
    text = GemmaConfig(
        vocab_size=len(processor.tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        pad_token_id=tokens.pad_token_id,
    )
    config = PaliGemmaConfig(
        text_config=text.to_dict(),
        vision_config=SiglipVisionConfig(**_siglip(image_size=56, patch_size=14)).to_dict(),
        image_token_index=tokens.convert_tokens_to_ids("<image>"),
        projection_dim=_WIDTH,
        hidden_size=_WIDTH,
    )
    return engine.ColPali(config), processor


def colqwen2() -> tuple[Any, Any]:
    """As many patches as the page's size gives: 28 pixels a vector, at most 64 of them."""
    engine, _ = import_models()
    from transformers import Qwen2VLConfig, Qwen2VLImageProcessorPil, Qwen2VLVideoProcessor

    tokens = byte_tokenizer(
        "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
        "<|video_pad|>",
    )  # fmt: skip
    sizes = {"shortest_edge": 56 * 56, "longest_edge": 64 * 28 * 28}
    processor = engine.ColQwen2Processor(
        image_processor=Qwen2VLImageProcessorPil(size=sizes),
        tokenizer=tokens,
        video_processor=Qwen2VLVideoProcessor(size=sizes),
    )
    ids = processor.tokenizer.convert_tokens_to_ids
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": len(processor.tokenizer),
            "hidden_size": _WIDTH,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_parameters": {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10_000.0},
            "bos_token_id": tokens.bos_token_id,
            "eos_token_id": tokens.eos_token_id,
            "pad_token_id": tokens.pad_token_id,
        },
        vision_config={"embed_dim": _WIDTH, "hidden_size": _WIDTH, "num_heads": 2, "depth": 2},
        image_token_id=ids("<|image_pad|>"),
        video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"),
        vision_end_token_id=ids("<|vision_end|>"),
    )
    return engine.ColQwen2(config), processor


FAMILIES: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "ColModernVBert": colmodernvbert,
    "ColIdefics3": colidefics3,
    "ColPali": colpali,
    "ColQwen2": colqwen2,
}


def build(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a checkpoint of ``family`` to ``folder``; the same seed gives the same weights."""
    torch.manual_seed(seed)
    network, processor = FAMILIES[family]()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, SPREAD)
    network.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def build_adapter(family: str, folder: Path, *, seed: int = 0) -> Path:
    """Write a random LoRA adapter of ``family`` to ``folder``, and the model it changes to ``folder/base``."""
    from peft import LoraConfig, get_peft_model

    weights = build(family, folder / BASE, seed=seed)
    engine, _ = import_models()
    network = getattr(engine, family).from_pretrained(str(weights), local_files_only=True)
    torch.manual_seed(seed + 1)
    adapted = get_peft_model(network, LoraConfig(r=4, target_modules=["custom_text_proj"], init_lora_weights=False))
    adapted.save_pretrained(str(folder))
    return folder


def main() -> None:
    for family in FAMILIES:
        sys.stdout.write(f"{build(family, Path(sys.argv[1]) / family)}\n")
    sys.stdout.write(f"{build_adapter('ColModernVBert', Path(sys.argv[1]) / 'adapter')}\n")


if __name__ == "__main__":
    main()
