"""What a caller may call a document, and the labels and metadata that come with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson

from atoll.errors import BadInput

MAX_NAME_BYTES = 255
#: A longer "extension" is just a dot in a name.
_MAX_SUFFIX_BYTES = 32
#: Marks that turn the direction of what follows: they can make `exe.pdf` look like `fdp.exe`.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MAX_LABELS = 32
_MAX_LABEL_CHARACTERS = 64
_MAX_SOURCE_CHARACTERS = 2048
_MAX_METADATA_BYTES = 16 * 1024


def clean_name(given: str) -> str:
    """Return the name a document gets: the last part of a path, in NFC, without control characters, any script.

    A name of more than `MAX_NAME_BYTES` bytes of UTF-8 is cut before its extension.

    Raises:
        BadInput: nothing is left.
    """
    shown = "".join(character for character in given if _is_shown(character))
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", shown))[-1].strip()
    if not name or not name.strip("."):
        raise BadInput("a document needs a name; what was sent is empty or names a folder")
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        suffix = ""
    stem = name.removesuffix(suffix).encode()[: MAX_NAME_BYTES - len(suffix.encode())]
    return stem.decode("utf-8", "ignore").rstrip() + suffix


def clean_labels(given: Iterable[str]) -> tuple[str, ...]:
    """Return labels sorted, each once, in NFC.

    Raises:
        BadInput: too many, too long, or with a character that separates labels or is not shown.
    """
    labels = sorted({unicodedata.normalize("NFC", label.strip()) for label in given} - {""})
    if len(labels) > _MAX_LABELS:
        raise BadInput(f"a document has at most {_MAX_LABELS} labels")
    for label in labels:
        if len(label) > _MAX_LABEL_CHARACTERS or "," in label or not all(map(_is_shown, label)):
            raise BadInput(f"a label has at most {_MAX_LABEL_CHARACTERS} characters, no comma, no control character")
    return tuple(labels)


def clean_source(given: str | None) -> str | None:
    """Return where a document came from, as the caller puts it. Raises BadInput when it is too long."""
    if given is not None and len(given) > _MAX_SOURCE_CHARACTERS:
        raise BadInput(f"a source has at most {_MAX_SOURCE_CHARACTERS} characters")
    return given or None


def check_metadata(given: Any) -> Mapping[str, Any]:
    """Return metadata. Raises BadInput when it is no JSON object or too large."""
    if not isinstance(given, dict):
        raise BadInput("metadata must be a JSON object")
    try:
        size = len(orjson.dumps(given))
    except (TypeError, ValueError) as error:
        raise BadInput(f"metadata must be a JSON object: {error}") from error
    if size > _MAX_METADATA_BYTES:
        raise BadInput(f"metadata has at most {_MAX_METADATA_BYTES // 1024} KiB")
    return given


def _is_shown(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} and character not in _DIRECTION
