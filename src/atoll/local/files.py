"""Files of the local stack: private, and never seen half-written."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> Path:
    """Put a file with mode 0600 in place at once: readers see the old one or the new one, whole."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return path


def fresh_credential(path: Path) -> Path:
    """Write a new random credential (256 bits); whoever held the one before is locked out."""
    return write_private(path, secrets.token_urlsafe(32))
