"""What `atoll models` prints with --json: whether locked models are what was locked, and what each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atoll.ops.models import Fault, LockedModel, ModelRefused, catalog, places


def verdict(found: Sequence[tuple[LockedModel, list[Fault]]], *, full: bool) -> dict[str, Any]:
    """Return what was found wrong with each model."""
    return {
        "ok": not any(faults for _, faults in found),
        "mode": "full" if full else "fast",
        "models": [
            {
                "name": entry.name,
                "ok": not faults,
                "files": len(entry.files),
                "total_bytes": entry.total_bytes,
                "faults": [{"path": fault.path, "kind": fault.kind.value, "reason": fault.reason} for fault in faults],
            }
            for entry, faults in found
        ],
    }


def listed(entry: LockedModel, models_dir: Path, known: catalog.Catalog) -> dict[str, Any]:
    """Return a model's row; ``known`` says on which machines it is recommended and why."""
    said = known.of(entry)
    try:
        present = places.locate(entry, models_dir).is_dir()
    except ModelRefused:
        present = False
    return {
        "name": entry.name,
        "role": entry.role.value,
        "present": present,
        "total_bytes": entry.total_bytes,
        "format": entry.format,
        "license": entry.license,
        "repository": entry.repository,
        "revision": entry.revision,
        "package": entry.package,
        "base": entry.base,
        "machines": [machine.value for machine in said.machines] if said else [],
        "reason": said.reason if said else None,
    }
