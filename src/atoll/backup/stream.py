"""A backup as one stream (tar), for where no folder is shared: into and out of containers, over a connection."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO

from atoll.errors import BadInput


def pack(folder: Path, out: IO[bytes]) -> None:
    """Write a backup's files to ``out``, in the order of their paths."""
    with tarfile.open(fileobj=out, mode="w|") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.add(path, arcname=path.relative_to(folder).as_posix(), recursive=False)


def unpack(source: IO[bytes], folder: Path) -> None:
    """Write the files that ``pack`` wrote to ``source`` into ``folder``.

    Whether they are as they were taken is for `verify` and `restore` to say.

    Raises:
        BadInput: this is no such stream, it ends early, or it holds anything but files below ``folder``.
    """
    try:
        with tarfile.open(fileobj=source, mode="r|") as archive:
            for member in archive:
                path = PurePosixPath(member.name)
                if member.isdir():
                    continue
                if not member.isreg() or path.is_absolute() or ".." in path.parts:
                    raise BadInput(f"{member.name!r} does not belong into a backup")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None  # it is a regular file
                with content, target.open("wb") as file:
                    shutil.copyfileobj(content, file)
    except tarfile.TarError as error:
        raise BadInput(f"this is no packed backup: {error}") from error
