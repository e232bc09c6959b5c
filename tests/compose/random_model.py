"""A chat model of 3.4 billion random weights in 4 bits (GGUF): as large as a real one, for what it costs in memory.

Its words mean nothing. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md; the shape is that of OpenLLaMA 3B.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

_WIDTH, _INNER, _LAYERS, _HEADS, _WORDS = 3200, 8640, 26, 32, 32_000
_F32, _Q4_0 = 0, 2
#: Bytes and weights of a block of Q4_0: a scale in fp16 and sixteen pairs of 4 bits.
_BLOCK_BYTES, _BLOCK = 18, 32
_ALIGNMENT = 32
_U32, _I32, _FLOAT, _STRING, _ARRAY = 4, 5, 6, 8, 9


def write(path: Path) -> None:
    """Write the model, 1.9 GB."""
    tensors = list(_tensors())
    with path.open("wb") as file:
        settings = list(_settings())
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(settings)) + b"".join(settings))
        offset = 0
        for name, shape, kind in tensors:
            file.write(_text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape))
            file.write(struct.pack("<IQ", kind, offset))
            offset += _padded(_bytes(shape, kind))
        file.write(bytes(-file.tell() % _ALIGNMENT))
        for _, shape, kind in tensors:
            _write_weights(file, shape, kind)


def _tensors() -> Iterator[tuple[str, tuple[int, ...], int]]:
    yield "token_embd.weight", (_WIDTH, _WORDS), _Q4_0
    yield "output_norm.weight", (_WIDTH,), _F32
    yield "output.weight", (_WIDTH, _WORDS), _Q4_0
    for layer in range(_LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{name}.weight", (_WIDTH,), _F32
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            yield f"blk.{layer}.{name}.weight", (_WIDTH, _WIDTH), _Q4_0
        for name in ("ffn_gate", "ffn_up"):
            yield f"blk.{layer}.{name}.weight", (_WIDTH, _INNER), _Q4_0
        yield f"blk.{layer}.ffn_down.weight", (_INNER, _WIDTH), _Q4_0


def _settings() -> Iterator[bytes]:
    yield _text("general.architecture") + struct.pack("<I", _STRING) + _text("llama")
    for name, number in {
        "context_length": 8192, "embedding_length": _WIDTH, "block_count": _LAYERS, "feed_forward_length": _INNER,
        "attention.head_count": _HEADS, "rope.dimension_count": _WIDTH // _HEADS, "vocab_size": _WORDS,
    }.items():  # fmt: skip
        yield _text(f"llama.{name}") + struct.pack("<II", _U32, number)
    yield _text("llama.attention.layer_norm_rms_epsilon") + struct.pack("<If", _FLOAT, 1e-6)
    yield _text("tokenizer.ggml.model") + struct.pack("<I", _STRING) + _text("llama")
    words = ["<unk>", "<s>", "</s>", *(f"<0x{n:02X}>" for n in range(256))]
    words += [f"w{n}" for n in range(_WORDS - len(words))]
    yield _list("tokens", _STRING, b"".join(_text(word) for word in words))
    yield _list("scores", _FLOAT, np.zeros(_WORDS, "<f4").tobytes())
    kinds = np.full(_WORDS, 1, "<i4")  # ordinary words
    kinds[0], kinds[1:3], kinds[3:259] = 2, 3, 6  # unknown, control, single bytes
    yield _list("token_type", _I32, kinds.tobytes())
    for name, number in {"bos_token_id": 1, "eos_token_id": 2, "unknown_token_id": 0}.items():
        yield _text(f"tokenizer.ggml.{name}") + struct.pack("<II", _U32, number)


def _list(name: str, kind: int, content: bytes) -> bytes:
    return _text(f"tokenizer.ggml.{name}") + struct.pack("<IIQ", _ARRAY, kind, _WORDS) + content


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _bytes(shape: tuple[int, ...], kind: int) -> int:
    weights = int(np.prod(shape))
    return weights * 4 if kind == _F32 else weights // _BLOCK * _BLOCK_BYTES


def _padded(size: int) -> int:
    return size + -size % _ALIGNMENT


def _write_weights(file: BinaryIO, shape: tuple[int, ...], kind: int) -> None:
    size = _bytes(shape, kind)
    if kind == _F32:
        file.write(np.ones(shape, "<f4").tobytes())
    else:
        blocks = np.random.default_rng(size).integers(0, 256, (size // _BLOCK_BYTES, _BLOCK_BYTES), np.uint8)
        blocks[:, :2] = np.frombuffer(np.float16(0.002).tobytes(), np.uint8)  # small scales: nothing overflows
        file.write(blocks.tobytes())
    file.write(bytes(_padded(size) - size))
