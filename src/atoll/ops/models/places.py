"""Where a locked model is on this machine, and which entry a folder belongs to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath

from atoll.ops.models.faults import ModelRefused
from atoll.ops.models.lock import LockedModel


def locate(model: LockedModel, models_dir: Path) -> Path:
    """Return where the model's folder is on this machine, whether or not it exists.

    Raises:
        ModelRefused: the package that carries it is not installed here, or in another version.
    """
    if model.package is None:
        return models_dir / model.folder
    distribution = installed(model.package)
    return Path(str(distribution.locate_file(model.folder)))


def installed(package: str) -> metadata.Distribution:
    """Return the installed package ``name`` or ``name==version``.

    Raises:
        ModelRefused: it is absent or of another version.
    """
    name, _, version = package.partition("==")
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError) as error:
        raise ModelRefused(f"the package {package} is not installed here; install it from the wheels") from error
    if version and distribution.version != version:
        raise ModelRefused(f"{name} {distribution.version} is installed, {version} is locked; install that one")
    return distribution


def for_folder(models: Sequence[LockedModel], folder: Path) -> LockedModel | None:
    """Return the entry of a folder: the longest whose place is the end of the folder's path.

    A server may see the models under another path than the machine that locked them, or through a link.
    """
    for path in (Path(os.path.abspath(folder)), folder.resolve()):  # noqa: PTH100 - links stay as they are
        matching = [model for model in models if _ends_with(path, model.folder)]
        if matching:
            return max(matching, key=lambda model: len(PurePosixPath(model.folder).parts))
    return None


def _ends_with(path: Path, place: str) -> bool:
    parts = PurePosixPath(place).parts
    return path.parts[-len(parts) :] == parts
