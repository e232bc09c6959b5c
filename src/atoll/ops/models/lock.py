"""``models.lock.json``: what each model is, where it came from, and what its files must be.

One entry a model: name, role, place, upstream repository and commit (or the installed package that carries it),
licence, format, files with size and SHA-256. Written atomically, read strictly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from atoll import files
from atoll.ops.models.faults import ModelRefused

VERSION = 1
_MAX_LOCK_BYTES = 64 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_PACKAGE = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+")
_LICENSE = re.compile(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*")


class Role(StrEnum):
    """What a model does in Atoll."""

    EMBEDDING = "embedding"
    RERANKER = "reranker"
    PAGES = "pages"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file: path inside the model's folder, size in bytes, SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LockedModel:
    """One entry.

    ``folder`` is relative to the lock file's folder or, when ``package`` (``name==version``) carries the model, to
    the place packages are installed in. ``revision`` is a commit of ``repository``; a package's is not known.
    ``base`` names the locked model that an adapter is applied to.
    """

    name: str
    role: Role
    folder: str
    repository: str | None
    revision: str | None
    package: str | None
    license: str
    format: str
    base: str | None
    files: tuple[LockedFile, ...]

    @property
    def total_bytes(self) -> int:
        """Size of all files."""
        return sum(file.size for file in self.files)

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as it stands in the lock file."""
        body = asdict(self)
        files = body.pop("files")
        return {**body, "total_bytes": self.total_bytes, "files": list(files)}


def read(lock_file: Path) -> tuple[LockedModel, ...]:
    """Return the entries.

    Raises:
        ModelRefused: the file is absent, unreadable, of another version or not well-formed.
    """
    try:
        if lock_file.stat().st_size > _MAX_LOCK_BYTES:
            raise ModelRefused(f"{lock_file} is larger than any lock file; make it again with `atoll models lock`")
        body = json.loads(lock_file.read_bytes())
    except OSError as error:
        raise ModelRefused(
            f"the lock file {lock_file} cannot be read: {error.strerror}; make it with `atoll models lock`"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ModelRefused(f"{lock_file} is not JSON; restore it or make it with `atoll models lock`") from error
    try:
        models = _parse(body)
        _validate(models)
    except ModelRefused as error:
        raise ModelRefused(f"{lock_file}: {error.message}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelRefused(
            f"{lock_file} is not a lock file of version {VERSION} ({error}); make it again with `atoll models lock`"
        ) from error
    return models


def write(lock_file: Path, models: Sequence[LockedModel]) -> None:
    """Replace the lock file in one step: a reader sees the old one or the new one, whole.

    Raises:
        ModelRefused: an entry is not well-formed, or the folder cannot be written to.
    """
    ordered = sorted(models, key=lambda model: model.name)
    _validate(ordered)
    body = json.dumps({"version": VERSION, "models": [model.as_dict() for model in ordered]}, indent=2) + "\n"
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        files.write(lock_file, body.encode(), mode=files.READABLE)
    except OSError as error:
        raise ModelRefused(f"{lock_file} cannot be written: {error.strerror}; check its folder") from error


def added(models: Sequence[LockedModel], model: LockedModel) -> list[LockedModel]:
    """Return the entries with ``model`` in place of the one of its name."""
    return [*(other for other in models if other.name != model.name), model]


def _parse(body: Mapping[str, Any]) -> tuple[LockedModel, ...]:
    if body["version"] != VERSION:
        raise ModelRefused(f"version {body['version']} is not read, only {VERSION}; make it with `atoll models lock`")
    return tuple(_parse_entry(dict(item)) for item in body["models"])


def _parse_entry(item: dict[str, Any]) -> LockedModel:
    total_bytes = item.pop("total_bytes")
    files = tuple(LockedFile(**file) for file in item.pop("files"))
    model = LockedModel(**{**item, "role": Role(item["role"])}, files=files)
    if model.total_bytes != total_bytes:
        raise ModelRefused(f"{model.name}: total_bytes is not the sum of its files; make the entry again")
    return model


def _validate(models: Sequence[LockedModel]) -> None:
    for attribute in ("name", "folder"):
        values = [getattr(model, attribute) for model in models]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise ModelRefused(f"two models have the {attribute} {twice}; say --name for one of them")
    names = {model.name for model in models}
    for model in models:
        validate_entry(model)
        if model.base is not None and model.base not in names - {model.name}:
            raise ModelRefused(f"{model.name}: its base {model.base} is not locked; lock that model first")


def inner_folder(place: str, base: LockedModel | None) -> str | None:
    """Return the path of an adapter's base inside the adapter's folder ``place``; None when it lies elsewhere."""
    if base is None or not base.folder.startswith(f"{place}/"):
        return None
    return base.folder.removeprefix(f"{place}/")


def named(models: Sequence[LockedModel], name: str | None) -> LockedModel | None:
    """Return the entry of a name."""
    return next((model for model in models if model.name == name), None)


def validate_entry(model: LockedModel) -> None:
    """Refuse an entry that is not well-formed.

    Raises:
        ModelRefused: naming the entry and the value.
    """
    checks: tuple[tuple[str, str | None, re.Pattern[str], str], ...] = (
        ("name", model.name, _NAME, "letters, digits, '.', '_' and '-'"),
        ("repository", model.repository, _REPOSITORY, "ORGANISATION/NAME"),
        ("revision", model.revision, _COMMIT, "a commit of 40 hex digits, never a branch"),
        ("package", model.package, _PACKAGE, "NAME==VERSION"),
        ("license", model.license, _LICENSE, "an SPDX id, or LicenseRef-NAME for one that has none"),
        ("base", model.base, _NAME, "the name of a locked model"),
    )
    for attribute, value, pattern, wanted in checks:
        if value is not None and not pattern.fullmatch(value):
            raise ModelRefused(f"{model.name}: {attribute} {value!r} is not {wanted}")
    if model.repository and not (model.revision or model.package):
        raise ModelRefused(f"{model.name}: a model from a repository needs --revision, {checks[2][3]}")
    if model.revision and not model.repository:
        raise ModelRefused(f"{model.name}: a revision needs --repo, the repository it is a commit of")
    if model.format not in ("safetensors", "gguf") or not model.files:
        raise ModelRefused(f"{model.name}: its format or its files are not those of a model; make the entry again")
    for path in (model.folder, *(file.path for file in model.files)):
        _validate_path(model.name, path)
    for file in model.files:
        if not (_SHA256.fullmatch(file.sha256) and isinstance(file.size, int) and file.size >= 0):
            raise ModelRefused(f"{model.name}: {file.path} has no proper size and sha256; make the entry again")


def _validate_path(name: str, path: str) -> None:
    # Text is compared, not the file system: a lock must not point out of its folder on any machine.
    if path.startswith("/") or "\\" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ModelRefused(f"{name}: {path!r} is not a path inside the models folder")
