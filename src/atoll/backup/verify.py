"""Checking a backup: every byte of it is what was written, and there is nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from atoll.backup.layout import (
    DOCUMENTS,
    KBS,
    MANIFEST,
    PARTS,
    ChecksumMismatch,
    Manifest,
    Part,
    check_part,
    lines,
    read_manifest,
)


def verify(folder: Path, *, on_part: Callable[[int], None] = lambda _: None) -> Manifest:
    """Check a backup; ``on_part`` is told how many bytes were read.

    Raises:
        BadInput: the folder is no backup that this Atoll knows.
        ChecksumMismatch: a part is missing, damaged or not part of the backup; the message names it.
    """
    manifest = read_manifest(folder)
    _check(folder, manifest.parts, on_part)
    _check_names(folder, {MANIFEST, *(part.path for part in manifest.parts)} | ({KBS} if manifest.kbs else set()))
    if manifest.kbs:
        _check_names(folder / KBS, {kb.uid for kb in manifest.kbs})
    for kb in manifest.kbs:
        place = folder / KBS / kb.uid
        _check(place, kb.parts, on_part)
        expected = {part.path for part in kb.parts}
        for entry in lines(place / DOCUMENTS):
            expected.add(entry["document"])
            _check(place, [Part(**entry["parts"])], on_part)
            _check_document(place / entry["document"], on_part)
        _check_names(place, expected)
    return manifest


def _check_document(place: Path, on_part: Callable[[int], None]) -> None:
    parts = [Part(**value) for value in lines(place / PARTS)]
    _check(place, parts, on_part)
    expected = {PARTS, *(part.path for part in parts)}
    found = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_symlink() or not path.is_dir()}
    _refuse(place, found - expected)


def _check(folder: Path, parts: tuple[Part, ...] | list[Part], on_part: Callable[[int], None]) -> None:
    for part in parts:
        check_part(folder, part)
        on_part(part.bytes)


def _check_names(folder: Path, expected: set[str]) -> None:
    _refuse(folder, {path.name for path in folder.iterdir()} - expected)


def _refuse(folder: Path, strangers: set[str]) -> None:
    if strangers:
        raise ChecksumMismatch(f"{folder / min(strangers)} is not part of the backup")
