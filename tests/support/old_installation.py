"""What commit 3eaac8c left on a disk (``tests/data/upgrade``), unpacked for a test."""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARCHIVE = Path(__file__).parents[1] / "data" / "upgrade" / "3eaac8c.tar.xz"


@dataclass(frozen=True)
class OldInstallation:
    """Its data directory, a backup of it, and what its users know: keys, documents, how much was audited."""

    data: Path
    backup: Path
    facts: dict[str, Any]

    @property
    def pepper(self) -> bytes:
        """What the hashes of its keys are keyed with."""
        return bytes.fromhex((self.data / "secrets" / "pepper").read_text().strip())


def unpacked(folder: Path) -> OldInstallation:
    """Unpack it into a folder, without its vector index, which is mostly zeros and can be made again."""
    with tarfile.open(ARCHIVE) as archive:
        members = [member for member in archive if not member.name.startswith("data/vectors")]
        archive.extractall(folder, members=members, filter="data")
    return OldInstallation(folder / "data", folder / "backup", json.loads((folder / "facts.json").read_text()))
