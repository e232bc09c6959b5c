"""What a backup looks like on disk, and its parts: files whose SHA-256 stands in the file above them.

::

    manifest.json                        format, version, knowledge bases with their revision; digests of what follows
    accounts.jsonl  audit.jsonl          tenants and keys (keyed hashes, no secrets); audit events
    kbs/<kb>/documents.jsonl             documents in order, whether visible, and the digest of each one's parts.jsonl
    kbs/<kb>/entities.jsonl              vectors of entities
    kbs/<kb>/<document>/parts.jsonl      digests of the files below
    kbs/<kb>/<document>/records.jsonl    the document, then batches of passages with all that belongs to them
    kbs/<kb>/<document>/files/...        the original, and what its stages left under artefacts/

Digests form a tree, so that nothing grows with the number of documents but lists of their ids. The manifest's own
digest stands in its last field, over the rest of it.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from atoll import files
from atoll.errors import AtollError, BadInput, StorageFull

#: Raised when the layout or the records change so that an older Atoll could not restore them.
#: 2: keys hold knowledge bases by id.
FORMAT = 2
#: Formats that this Atoll restores.
_READ = (1, FORMAT)
MANIFEST, ACCOUNTS, AUDIT, DOCUMENTS, ENTITIES = (
    "manifest.json", "accounts.jsonl", "audit.jsonl", "documents.jsonl", "entities.jsonl",
)  # fmt: skip
PARTS, RECORDS, FILES, KBS = "parts.jsonl", "records.jsonl", "files", "kbs"
ORIGINAL, OUTPUTS = "original", "artefacts"

_CHUNK_BYTES = 1 << 20


class ChecksumMismatch(AtollError):
    """Raised when a part of a backup is not what was written; the message names it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a backup: its path below the folder that lists it, its size, and the SHA-256 of its bytes in hex."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SavedKb:
    """A knowledge base in the manifest."""

    uid: str
    tenant: str
    name: str
    revision: int
    documents: int
    passages: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. ``pepper_mark`` tells whether a pepper is the one that the keys' hashes were made with."""

    format: int
    atoll: str
    created_at: str
    pepper_mark: str
    kbs: tuple[SavedKb, ...]
    parts: tuple[Part, ...]


def line(value: object) -> bytes:
    """Return a value as one line of JSON."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


class PartWriter:
    """Writes one file that only its owner reads; ``close`` tells what it has become. Raises StorageFull."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / name
        self._name = name
        self._digest, self._size = hashlib.sha256(), 0
        with space_translated():
            files.private_folder(path.parent)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with space_translated():
            self._file.close()

    def write(self, piece: bytes) -> None:
        """Append bytes."""
        with space_translated():
            self._file.write(piece)
        self._digest.update(piece)
        self._size += len(piece)

    @property
    def part(self) -> Part:
        """What was written so far."""
        return Part(self._name, self._size, self._digest.hexdigest())


def write_part(folder: Path, name: str, content: Iterable[bytes]) -> Part:
    """Write a whole file. Raises StorageFull."""
    with PartWriter(folder, name) as writer:
        for piece in content:
            writer.write(piece)
    return writer.part


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's bytes and close it."""
    with file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece


def lines(path: Path) -> Iterator[Any]:
    """Yield the values of a JSON-lines file."""
    with path.open("rb") as file:
        for each in file:
            yield orjson.loads(each)


def check_part(folder: Path, part: Part) -> None:
    """Raise ChecksumMismatch unless the file is what the part says."""
    path = folder / part.path
    if not path.is_file() or path.is_symlink():
        raise ChecksumMismatch(f"{path} is missing")
    digest, size = hashlib.sha256(), 0
    for piece in pieces(path.open("rb")):
        digest.update(piece)
        size += len(piece)
    if (size, digest.hexdigest()) != (part.bytes, part.sha256):
        raise ChecksumMismatch(f"{path} is damaged: its checksum is not the one that was written")


def sealed(manifest: Manifest) -> bytes:
    """Return the manifest as it is written, its own digest last."""
    body = orjson.dumps(manifest, option=orjson.OPT_INDENT_2)
    digest = hashlib.sha256(body).hexdigest()
    return body.removesuffix(b"\n}") + f',\n  "sha256": "{digest}"\n}}\n'.encode()


def read_manifest(folder: Path) -> Manifest:
    """Read and check a backup's manifest.

    Raises:
        BadInput: the folder is no backup, or one of a newer Atoll.
        ChecksumMismatch: the manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise BadInput(f"{folder} is not a backup: it has no {MANIFEST}")
    content = path.read_bytes()
    try:
        value = orjson.loads(content)
        del value["sha256"]
        manifest = Manifest(
            format=value["format"],
            atoll=value["atoll"],
            created_at=value["created_at"],
            pepper_mark=value["pepper_mark"],
            kbs=tuple(SavedKb(**{**kb, "parts": tuple(Part(**part) for part in kb["parts"])}) for kb in value["kbs"]),
            parts=tuple(Part(**part) for part in value["parts"]),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        if isinstance(error, orjson.JSONDecodeError) or value.get("format") in _READ:
            raise ChecksumMismatch(f"{path} is damaged: it cannot be read") from error
        raise BadInput(_OTHER_FORMAT.format(path=path)) from error
    if manifest.format not in _READ:
        raise BadInput(_OTHER_FORMAT.format(path=path))
    if sealed(manifest) != content:
        raise ChecksumMismatch(f"{path} is damaged: its checksum is not the one that was written")
    return manifest


_OTHER_FORMAT = "{path} has a format that this Atoll does not know; restore it with the Atoll that wrote it, or a newer"


@contextmanager
def space_translated() -> Iterator[None]:
    """Turn "no space" into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull("the disk is full; make room and try again") from error
        raise
