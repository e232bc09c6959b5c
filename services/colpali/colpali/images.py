"""Page images from the wire: base64 of PNG, WebP or JPEG, refused by size before a pixel is decoded."""

from __future__ import annotations

import base64
import struct
import zlib
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from atoll.errors import BadInput

#: The only decoders that untrusted bytes reach.
FORMATS = ("PNG", "WEBP", "JPEG")
#: What Pillow raises on broken files of these formats.
_BROKEN = (OSError, SyntaxError, ValueError, IndexError, EOFError, struct.error, zlib.error)


def decode(encoded: str, *, max_pixels: int) -> Image.Image:
    """Return the image as RGB, transparency on white.

    Raises:
        BadInput: it is not base64 of such an image, or it has more than ``max_pixels``.
    """
    try:
        content = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise BadInput("image: not valid base64") from error
    try:
        image = Image.open(BytesIO(content), formats=FORMATS)
        width, height = image.size
        if width * height > max_pixels:
            raise BadInput(f"image: {width} x {height} pixels, the limit is {max_pixels}; draw the page smaller")
        return _on_white(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(f"image: over the limit of {max_pixels} pixels; draw the page smaller") from error
    except UnidentifiedImageError as error:
        raise BadInput("image: neither PNG nor WebP nor JPEG") from error
    except _BROKEN as error:
        raise BadInput(f"image: the file is broken ({type(error).__name__}); draw the page again") from error


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    sheet = Image.new("RGB", layer.size, "white")
    sheet.paste(layer, mask=layer.getchannel("A"))
    return sheet
