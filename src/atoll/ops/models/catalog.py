"""``catalog.toml``: what is recommended for each role and machine, and what each licence allows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from atoll.ops.models.faults import ModelRefused
from atoll.ops.models.lock import LockedModel, Role

VERSION = 1


class Machine(StrEnum):
    """Sizes of machine: main memory, or one graphics card whatever the memory."""

    RAM_8GB = "8GB"
    RAM_16GB = "16GB"
    RAM_32GB = "32GB"
    GPU = "gpu"


class Redistribution(StrEnum):
    """Whether a bundle may carry the weights to somebody else."""

    YES = "yes"
    CONDITIONS = "conditions"
    NO = "no"


class Figure(StrEnum):
    """What of a recommendation can be read in its repository or measured."""

    BYTES = "bytes"
    MEMORY = "memory"
    LICENSE = "license"


@dataclass(frozen=True, slots=True)
class License:
    """What a licence allows; ``id`` is SPDX's, or LicenseRef-NAME where SPDX has none."""

    id: str
    name: str
    redistribution: Redistribution
    note: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A model worth bringing.

    Sizes are approximate; ``verified`` names what was read in the repository or measured, the rest is an estimate.
    ``base`` is the repository an adapter is applied to.
    """

    name: str
    role: Role
    machines: tuple[Machine, ...]
    repository: str
    format: str
    approximate_bytes: int
    approximate_memory_bytes: int
    license: str
    verified: tuple[Figure, ...]
    reason: str
    file: str | None = None
    base: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """Recommendations in the order of the file, licences by id."""

    models: tuple[Recommendation, ...]
    licenses: Mapping[str, License]

    def of(self, model: LockedModel) -> Recommendation | None:
        """Return what is said about the repository that a locked model came from."""
        same = (item for item in self.models if item.repository == model.repository and item.role == model.role)
        return next(same, None)


def read(path: Path) -> Catalog:
    """Return the catalogue.

    Raises:
        ModelRefused: it is absent, not TOML or not of this shape, or names a licence that it does not explain.
    """
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
        return _parse(body)
    except OSError as error:
        raise ModelRefused(
            f"the catalogue {path} cannot be read: {error.strerror}; restore it or say --catalog FILE"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(f"{path} is not a catalogue of version {VERSION} ({error}); restore it") from error


def _parse(body: Mapping[str, Any]) -> Catalog:
    if body["version"] != VERSION:
        raise ValueError(f"version {body['version']}")
    licenses = [
        License(**{**item, "redistribution": Redistribution(item["redistribution"])}) for item in body["licenses"]
    ]
    known = {item.id: item for item in licenses}
    models = tuple(_recommendation(item) for item in body["models"])
    for model in models:
        if model.license not in known:
            raise ValueError(f"{model.name}: licence {model.license} is not explained")
    return Catalog(models, known)


def _recommendation(item: Mapping[str, Any]) -> Recommendation:
    machines = tuple(Machine(name) for name in item["machines"])
    verified = tuple(Figure(name) for name in item["verified"])
    return Recommendation(**{**item, "role": Role(item["role"]), "machines": machines, "verified": verified})
