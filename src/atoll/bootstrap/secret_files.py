"""Secrets as files: read whole or refused, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from atoll import files
from atoll.errors import StartRefused
from atoll.settings import Settings


def pepper(settings: Settings) -> bytes:
    """Read the pepper. Raises StartRefused when it is missing."""
    if not settings.pepper_path.exists():
        raise StartRefused(f"{settings.pepper_path} is missing; run `atoll init`")
    return bytes.fromhex(settings.pepper_path.read_text().strip())


def read_secret(path: Path | None) -> str | None:
    """Read a secret file. Raises StartRefused when it is named and missing or empty."""
    if path is None:
        return None
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise StartRefused(f"the secret file {path} cannot be read: {error.strerror}") from error
    if not text:
        raise StartRefused(f"the secret file {path} is empty")
    return text


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads."""
    files.write(path, f"{text}\n".encode(), mode=files.PRIVATE)
