"""Making the entry of a model folder: every file judged, read once and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from atoll.ops.models import formats, lock
from atoll.ops.models.faults import ModelRefused
from atoll.ops.models.lock import LockedFile, LockedModel, Role

_BLOCK_BYTES = 1 << 20
_ADAPTER_WEIGHTS = "adapter_model"

#: Told how many bytes were hashed since the last call.
Progress = Callable[[int], None]


def entry(
    folder: Path,
    *,
    name: str,
    role: Role,
    place: str,
    license_id: str,
    repository: str | None = None,
    revision: str | None = None,
    package: str | None = None,
    base: LockedModel | None = None,
    progress: Progress | None = None,
) -> LockedModel:
    """Check and hash a model folder, which ``place`` names in the lock; reads every byte once.

    A ``base`` that lies inside the folder keeps its own entry: its files are left out of this one.

    Raises:
        ModelRefused: a file's format is refused, a weight file is damaged, there are no weights or of two formats,
            an adapter names no base, or a value is not well-formed.
    """
    files: list[LockedFile] = []
    for path, file in formats.walk(folder, without=lock.inner_folder(place, base)):
        fault = formats.refusal(path, file) or formats.header_fault(path, file)
        if fault:
            raise ModelRefused(f"{folder / path} {fault.reason}")
        size, sha256 = digest(file, progress)
        files.append(LockedFile(path, size, sha256))
    model = LockedModel(
        name=name,
        role=role,
        folder=place,
        repository=repository,
        revision=revision,
        package=package,
        license=license_id,
        format=_format(folder, files),
        base=base.name if base else None,
        files=tuple(files),
    )
    if base is None and is_adapter(model):
        raise ModelRefused(f"{folder} is an adapter; lock the model it is applied to, then say --base NAME")
    lock.validate_entry(model)
    return model


def is_adapter(model: LockedModel) -> bool:
    """Return whether all weights are an adapter's, which are worth nothing without its base."""
    return all(PurePosixPath(path).name.startswith(_ADAPTER_WEIGHTS) for path in _weights(model.files))


def digest(file: Path, progress: Progress | None = None) -> tuple[int, str]:
    """Return a file's size and SHA-256 as read in one go.

    Raises:
        ModelRefused: it cannot be read.
    """
    hashing, size = hashlib.sha256(), 0
    try:
        with file.open("rb", buffering=0) as stream:
            while block := stream.read(_BLOCK_BYTES):
                hashing.update(block)
                size += len(block)
                if progress:
                    progress(len(block))
    except OSError as error:
        raise ModelRefused(f"{file} cannot be read: {error.strerror}; make it readable") from error
    return size, hashing.hexdigest()


def _weights(files: Sequence[LockedFile]) -> list[str]:
    return [file.path for file in files if PurePosixPath(file.path).suffix.lower() in formats.WEIGHTS]


def _format(folder: Path, files: Sequence[LockedFile]) -> str:
    found = sorted({PurePosixPath(path).suffix.lower() for path in _weights(files)})
    if not found:
        raise ModelRefused(f"{folder} holds no *.safetensors or *.gguf weights; bring the model in one of these")
    if len(found) > 1:
        raise ModelRefused(f"{folder} holds safetensors and GGUF; give each its own folder")
    return found[0].removeprefix(".")
