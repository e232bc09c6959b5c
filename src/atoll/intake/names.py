"""What a caller may call a document, and the labels and metadata that come with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import orjson

from atoll.domain.json_values import check_json
from atoll.domain.labels import clean_label, visible
from atoll.errors import BadInput

MAX_NAME_BYTES = 255
#: A longer "extension" is just a dot in a name.
_MAX_SUFFIX_BYTES = 32
_MAX_LABELS = 32
_MAX_SOURCE_CHARACTERS = 2048
_MAX_METADATA_BYTES = 16 * 1024
_DRIVE = re.compile(r"[A-Za-z]:")
_SEPARATORS = re.compile(r"[/\\]")


def clean_name(given: str) -> str:
    """Return the name a document gets: the last part of a path, in NFC, without unseen characters, any script.

    A name of more than `MAX_NAME_BYTES` bytes of UTF-8 is cut before its extension.

    Raises:
        BadInput: nothing is left.
    """
    name = _SEPARATORS.split(visible(given))[-1].strip()
    if not name or not name.strip("."):
        raise BadInput("a document needs a name; what was sent is empty or names a folder")
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    suffix = PurePosixPath(name).suffix
    if len(suffix.encode()) > _MAX_SUFFIX_BYTES:
        suffix = ""
    stem = name.removesuffix(suffix).encode()[: MAX_NAME_BYTES - len(suffix.encode())]
    return stem.decode("utf-8", "ignore").rstrip() + suffix


def clean_folder(given: str) -> str | None:
    """Return the folder part of a file's path as a source: parts joined by "/", relative, without drive, "." or "..".

    A path that leads out of where it begins (``../a.txt``) stays inside. None when there is no folder.

    Raises:
        BadInput: it is too long.
    """
    parts: list[str] = []
    for at, part in enumerate(_SEPARATORS.split(visible(given))[:-1]):
        cleaned = part.strip()
        if cleaned == "..":
            parts = parts[:-1]
        elif cleaned not in {"", "."} and not (at == 0 and _DRIVE.fullmatch(cleaned)):
            parts.append(cleaned)
    return clean_source("/".join(parts))


def join_source(source: str | None, folder: str | None) -> str | None:
    """Return the source of a file that lies in ``folder`` below ``source``. Raises BadInput when it is too long."""
    return clean_source("/".join(part for part in (clean_source(source), folder) if part))


def clean_file_name(given: str) -> str:
    """Return the name that a document is to have. Raises BadInput when it names a folder, too, or nothing is left."""
    if _SEPARATORS.search(given):
        raise BadInput("a name holds no folder; give the folder as source")
    return clean_name(given)


def clean_labels(given: Iterable[str]) -> tuple[str, ...]:
    """Return labels sorted, each once; empty ones are left out.

    Raises:
        BadInput: too many, or one that no label can be.
    """
    labels = sorted({clean_label(label) for label in given if label.strip()})
    if len(labels) > _MAX_LABELS:
        raise BadInput(f"a document has at most {_MAX_LABELS} labels")
    return tuple(labels)


def clean_source(given: str | None) -> str | None:
    """Return where a document came from, in NFC, without unseen characters and a "/" at its end.

    Raises:
        BadInput: it is too long.
    """
    source = visible(given or "").strip().rstrip("/")
    if len(source) > _MAX_SOURCE_CHARACTERS:
        raise BadInput(f"a source has at most {_MAX_SOURCE_CHARACTERS} characters")
    return source or None


def check_metadata(given: Any) -> Mapping[str, Any]:
    """Return metadata. Raises BadInput when it is no JSON object or too large."""
    if not isinstance(given, dict):
        raise BadInput("metadata must be a JSON object")
    try:
        check_json(given, nul=True)
    except BadInput as error:
        raise BadInput(f"metadata: {error.message}") from error
    size = len(orjson.dumps(given))
    if size > _MAX_METADATA_BYTES:
        raise BadInput(f"metadata has at most {_MAX_METADATA_BYTES // 1024} KiB")
    return given
