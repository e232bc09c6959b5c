from __future__ import annotations

import base64
import contextlib
import random
import struct
import zlib

import pytest
from PIL import Image

from atoll.errors import BadInput
from colpali.images import FORMATS, decode
from tests.support.page_images import encoded, file_bytes, noise

MAX_PIXELS = 1_000_000


@pytest.mark.parametrize("file_format", FORMATS)
def test_each_format_is_read_as_rgb(file_format):
    image = decode(encoded(noise(1), file_format), max_pixels=MAX_PIXELS)
    assert (image.mode, image.size) == ("RGB", (96, 128))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_every_kind_of_pixel_becomes_rgb(mode):
    source = Image.new("I;16", (4, 4)) if mode == "I;16" else noise(1, 4, 4).convert(mode)
    assert decode(encoded(source), max_pixels=MAX_PIXELS).mode == "RGB"


def test_what_is_transparent_is_paper():
    clear = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    assert decode(encoded(clear), max_pixels=MAX_PIXELS).getpixel((0, 0)) == (255, 255, 255)


def test_too_many_pixels_are_refused_before_they_are_decoded():
    image = Image.new("1", (1001, 1000))
    with pytest.raises(BadInput, match=r"1001 x 1000 pixels, the limit is 1000000"):
        decode(encoded(image), max_pixels=MAX_PIXELS)


def test_a_header_that_promises_a_bomb_is_refused():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b"")):
        content += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    with pytest.raises(BadInput, match="limit"):
        decode(base64.b64encode(content).decode(), max_pixels=MAX_PIXELS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%%%", "base64"),
        ("é", "base64"),
        ("", "neither PNG"),
        (base64.b64encode(b"%PDF-1.7").decode(), "neither PNG"),
        (encoded(noise(1), "GIF"), "neither PNG"),
        (encoded(noise(1), "TIFF"), "neither PNG"),
    ],
)
def test_anything_else_is_refused(text, said):
    with pytest.raises(BadInput, match=said):
        decode(text, max_pixels=MAX_PIXELS)


@pytest.mark.parametrize("file_format", FORMATS)
def test_damaged_files_are_refused_or_read_and_nothing_else(file_format):
    sound = file_bytes(noise(1), file_format)
    chosen = random.Random(file_format)
    for _ in range(150):
        broken = bytearray(sound)
        for _ in range(chosen.randint(1, 8)):
            broken[chosen.randrange(len(broken))] = chosen.randrange(256)
        cut = bytes(broken[: chosen.randint(1, len(broken))])
        with contextlib.suppress(BadInput):
            assert decode(base64.b64encode(cut).decode(), max_pixels=MAX_PIXELS).mode == "RGB"
