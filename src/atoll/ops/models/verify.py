"""Whether a model folder is what was locked: fast by sizes and headers, full by every byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from atoll.ops.models import formats, hashing, lock, places
from atoll.ops.models.faults import Fault, Kind, ModelRefused
from atoll.ops.models.hashing import Progress
from atoll.ops.models.lock import LockedFile, LockedModel

_DIGEST_SHOWN = 12


def verify(
    folder: Path,
    model: LockedModel,
    *,
    base: LockedModel | None = None,
    full: bool = False,
    progress: Progress | None = None,
) -> list[Fault]:
    """Return everything in ``folder`` that is not as locked, in the order of paths; empty when it is.

    Fast checks that every file is there with its size, that weight files' headers fit their length, and that no
    other file is there. ``full`` reads and hashes every byte as well. ``base`` is the entry of an adapter's base: where
    it lies inside ``folder`` it is left out, since it is verified by its own entry.

    Raises:
        ModelRefused: a folder cannot be read.
    """
    if not folder.is_dir():
        return [Fault(".", Kind.ABSENT, f"the folder {folder} is absent; bring the model, see models/README.md")]
    present = dict(formats.walk(folder, without=lock.inner_folder(model.folder, base)))
    locked = {file.path: file for file in model.files}
    faults: list[Fault] = []
    for path in sorted(present.keys() | locked.keys()):
        if path not in present:
            faults.append(Fault(path, Kind.ABSENT, "is absent; bring the model again"))
        elif path not in locked:
            refused = formats.refusal(path, present[path])
            faults.append(
                refused or Fault(path, Kind.UNLISTED, "is not in the lock; remove it or lock the model again")
            )
        else:
            faults += _file_faults(present[path], locked[path], full=full, progress=progress)
    return faults


def check_formats(folder: Path) -> list[Fault]:
    """Return every file in ``folder`` whose format is refused or whose header does not fit its length.

    Raises:
        ModelRefused: a folder cannot be read.
    """
    return [
        fault
        for path, file in formats.walk(folder)
        if (fault := formats.refusal(path, file) or formats.header_fault(path, file))
    ]


def check_folder(folder: Path, lock_file: Path | None, *, full: bool = False) -> None:
    """Refuse a model folder that a server must not load.

    With a lock file the folder must be in it and as locked, and so must an adapter's base inside the folder; without
    one, formats and headers are checked.

    Raises:
        ModelRefused: in one line, the first file that is wrong, what is wrong with it and what to do.
    """
    if lock_file is None:
        faults, after = check_formats(folder), ""
    else:
        models = lock.read(lock_file)
        model = places.for_folder(models, folder)
        if model is None:
            raise ModelRefused(f"{folder} is not in {lock_file}; add it with `atoll models lock`")
        base = lock.named(models, model.base)
        faults = verify(folder, model, base=base, full=full)
        inner = lock.inner_folder(model.folder, base)
        if base and inner:
            faults += [
                replace(fault, path=f"{inner}/{fault.path}") for fault in verify(folder / inner, base, full=full)
            ]
        after = f" (locked as {model.name} in {lock_file})"
    if faults:
        others = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise ModelRefused(f"{folder / faults[0].path} {faults[0].reason}{others}{after}")


def _file_faults(file: Path, locked: LockedFile, *, full: bool, progress: Progress | None) -> Iterator[Fault]:
    path = PurePosixPath(locked.path).as_posix()
    refused = formats.refusal(path, file)
    if refused:
        yield refused
        return
    try:
        size, sha256 = hashing.digest(file, progress) if full else (file.stat().st_size, locked.sha256)
    except (OSError, ModelRefused):
        yield Fault(path, Kind.UNREADABLE, "cannot be read; make it readable")
        return
    if sha256 != locked.sha256:
        reason = (
            f"has changed: sha256 {sha256[:_DIGEST_SHOWN]} and {size} bytes, "
            f"{locked.sha256[:_DIGEST_SHOWN]} and {locked.size} bytes are locked; bring the file again"
        )
        yield Fault(path, Kind.CHECKSUM, reason)
    elif size != locked.size:
        yield Fault(path, Kind.SIZE, f"has {size} bytes, {locked.size} are locked; bring the file again")
    elif damaged := formats.header_fault(path, file):
        yield damaged
