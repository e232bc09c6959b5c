"""Which files a model folder may hold, and whether a weight file is whole, judged by its header alone.

Deny by default: tensors come as safetensors or GGUF, which are data; formats that can run code when they are
read, and everything unknown, are refused. The header checks follow the two formats' published layouts; they read
a few kilobytes of a file of any size.
"""

from __future__ import annotations

import json
import os
import stat
import struct
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from atoll.ops.models.faults import Fault, Kind, ModelRefused

SAFETENSORS, GGUF = ".safetensors", ".gguf"
WEIGHTS = frozenset({SAFETENSORS, GGUF})
ALLOWED = WEIGHTS | {".json", ".txt", ".model", ".jinja", ".md"}
#: Files without a suffix that explain what a model may be used for.
ALLOWED_NAMES = frozenset({"license", "licence", "notice", "copying", "readme"})
#: Left behind by the programs that fetch models; no server reads them, no lock lists them.
BOOKKEEPING_NAMES = frozenset({".gitattributes", ".gitignore"})
BOOKKEEPING_FOLDER = PurePosixPath(".cache/huggingface")

_PICKLES = frozenset({".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib"})
_CONTAINERS = frozenset({".h5", ".hdf5", ".keras", ".npy", ".npz", ".msgpack"})
_CODE = frozenset({".py", ".pyc", ".so", ".dll", ".dylib", ".sh", ".exe"})
_ARCHIVES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".whl", ".nemo"})
_MAX_FILES = 10_000
_MAX_HEADER_BYTES = 100_000_000
_GGUF_VERSIONS = (2, 3)
#: magic, version, number of tensors, number of metadata pairs: the fixed part of a GGUF file, little endian.
_GGUF_START = struct.Struct("<4sIQQ")
#: The least bytes of one tensor description (name length, dimensions, type, offset) and of one metadata pair.
_GGUF_TENSOR_BYTES, _GGUF_PAIR_BYTES = 24, 13


def walk(folder: Path, *, without: str | None = None) -> Iterator[tuple[str, Path]]:
    """Yield ``(path inside the folder, path)`` of everything that is not a folder, in order; links are not followed.

    ``without`` is a folder inside that is left out, a model of its own.

    Raises:
        ModelRefused: a folder cannot be read, or there are more files than any model has.
    """

    def refuse(error: OSError) -> None:
        raise ModelRefused(f"{error.filename} cannot be read: {error.strerror}; make it readable") from error

    found: list[tuple[str, Path]] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        inside = PurePosixPath(Path(place).relative_to(folder).as_posix())
        if inside == BOOKKEEPING_FOLDER or str(inside) == without:
            folders.clear()
            continue
        linked = [name for name in folders if Path(place, name).is_symlink()]
        found += (
            (str(inside / name), Path(place, name)) for name in [*names, *linked] if name not in BOOKKEEPING_NAMES
        )
        if len(found) > _MAX_FILES:
            raise ModelRefused(f"{folder} holds more than {_MAX_FILES} files; name the folder of one model")
    yield from sorted(found)


def refusal(path: str, file: Path) -> Fault | None:
    """Return why ``file``, called ``path`` inside its folder, may not be part of a model; None when it may.

    A link is judged by its own name and by what it leads to, so that a hub cache's snapshot of links works.
    """
    try:
        target = file.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):
        return Fault(path, Kind.UNREADABLE, "is a link that leads nowhere; copy the file itself")
    if stat.S_ISDIR(mode):
        return Fault(path, Kind.FORMAT, "is a link to a folder; copy the folder itself")
    if not stat.S_ISREG(mode):
        return Fault(path, Kind.FORMAT, "is not a regular file; remove it")
    reason = _suffix_refusal(PurePosixPath(path)) or (_linked_refusal(target) if file.is_symlink() else None)
    return Fault(path, Kind.FORMAT, reason) if reason else None


def header_fault(path: str, file: Path) -> Fault | None:
    """Return what is wrong with a weight file's header and length; None when nothing is, or it holds no weights."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix not in WEIGHTS:
        return None
    try:
        reason = _safetensors_fault(file) if suffix == SAFETENSORS else _gguf_fault(file)
    except OSError as error:
        return Fault(path, Kind.UNREADABLE, f"cannot be read: {error.strerror}; make it readable")
    return Fault(path, Kind.DAMAGED, f"{reason}; bring the file again") if reason else None


def _suffix_refusal(path: PurePosixPath) -> str | None:
    suffix = path.suffix.lower()
    if suffix in ALLOWED or (not suffix and path.name.lower() in ALLOWED_NAMES):
        return None
    return _danger(suffix) or f"is not one of {' '.join(sorted(ALLOWED))}; remove it or leave it out when fetching"


def _linked_refusal(target: Path) -> str | None:
    # A cache's blobs are named by hash and have no suffix; a name that tells a refused format is believed.
    danger = _danger(target.suffix.lower())
    return f"is a link to {target.name}, which {danger}" if danger else None


def _danger(suffix: str) -> str | None:
    if suffix in _PICKLES:
        return "is a pickle, which can run code when it is read; bring the weights as safetensors or GGUF"
    if suffix in _CONTAINERS:
        return "is a format that can hold code; bring the weights as safetensors or GGUF"
    if suffix in _CODE:
        return "is code; a model that needs its own code is not supported"
    if suffix in _ARCHIVES:
        return "is an archive; unpack it on the connected machine and bring what is inside"
    return None


def _safetensors_fault(file: Path) -> str | None:
    """Check the layout: 8 bytes of header length, a JSON header, then one buffer that tensors fill without a gap."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        if len(start) < 8:  # noqa: PLR2004 - the length field
            return "is too short to be safetensors"
        (length,) = struct.unpack("<Q", start)
        if length > _MAX_HEADER_BYTES or 8 + length > size:
            return f"has a safetensors header of {length} bytes, which does not fit in the file or in what is allowed"
        raw = stream.read(length)
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        return "has a safetensors header that is not JSON"
    if not isinstance(header, dict):
        return "has a safetensors header that is not an object"
    return _offsets_fault(header, size - 8 - length)


def _offsets_fault(header: dict[str, Any], buffer_bytes: int) -> str | None:
    spans: list[tuple[int, int]] = []
    for name, tensor in header.items():
        if name == "__metadata__":
            continue
        match tensor:
            case {"data_offsets": [int(begin), int(end)]} if 0 <= begin <= end <= buffer_bytes:
                spans.append((begin, end))
            case _:
                return f"has a tensor {name!r} outside the file: it is cut short or damaged"
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            return "has tensors that overlap or leave a gap"
        reached = end
    if reached != buffer_bytes:
        return f"has {buffer_bytes - reached} bytes behind its last tensor"
    return None


def _gguf_fault(file: Path) -> str | None:
    """Check magic, version and that the counts can fit; the tensors' end cannot be told without reading everything."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(_GGUF_START.size)
    if len(start) < _GGUF_START.size:
        return "is too short to be GGUF"
    magic, version, tensors, pairs = _GGUF_START.unpack(start)
    if magic != b"GGUF":
        return "does not begin with the GGUF magic"
    if version not in _GGUF_VERSIONS:
        return f"is GGUF version {version}, only {_GGUF_VERSIONS[0]} and {_GGUF_VERSIONS[1]} are read"
    if not tensors or _GGUF_START.size + tensors * _GGUF_TENSOR_BYTES + pairs * _GGUF_PAIR_BYTES > size:
        return f"announces {tensors} tensors and {pairs} metadata pairs, which cannot be in {size} bytes"
    return None
