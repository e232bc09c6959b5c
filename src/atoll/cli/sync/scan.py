"""What a folder holds: its files by their place with their hashes, and what of it has to wait."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atoll.cli.sources import CountedFile, Skipped, Source, in_folder
from atoll.cli.sync.known import Known, signs
from atoll.cli.sync.plan import Place
from atoll.domain import media
from atoll.errors import AtollError, BadInput, UnsupportedMediaType
from atoll.intake.names import clean_folder, clean_name, join_source

#: A file that was written to within this time may still be written.
STILL_SECONDS = 2.0
#: What Office keeps beside a document that is open.
_LOCK_FILE = "~$"
_READ_BYTES = 1024 * 1024
#: How clients quote these signs in the names of a form's files, and servers read them.
_QUOTED = (("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))


@dataclass(slots=True)
class Scan:
    """A look at a folder.

    ``hashes`` and ``sources`` hold files that can be sent. Documents at ``kept`` places, and those below the
    ``hidden`` folders, stay as they are: their files are there and cannot be taken now. ``told`` is why.
    """

    hashes: dict[Place, str] = field(default_factory=dict)
    sources: dict[Place, Source] = field(default_factory=dict)
    kept: set[Place] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    told: list[Skipped] = field(default_factory=list)
    signs: dict[str, list[object]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.hashes or self.kept or self.hidden)

    def stays(self, place: Place) -> bool:
        """Whether a document there is left alone although no file can be sent."""
        return place in self.kept or any(is_below(place[0], top) for top in self.hidden)

    def keep(self, source: Source, place: Place, reason: str, *, failed: bool = False) -> None:
        """Leave the document of a file alone."""
        self.kept.add(place)
        self.told.append(Skipped(source.path, reason, failed=failed))


def is_below(source: str, top: str) -> bool:
    """Whether a source is a folder or lies in it; everything lies in "", the tree itself."""
    return not top or source == top or source.startswith(f"{top}/")


def place_of(source: Source) -> Place:
    """Return source and name that the document of a file has. Raises BadInput for a name that no document can have."""
    name = source.name
    for quoted, sign in _QUOTED:
        name = name.replace(quoted, sign)
    return join_source(source.folder, clean_folder(name)) or "", clean_name(name)


def scan(root: Path, below: Path, known: Known) -> Scan:
    """Look at everything in a folder.

    Args:
        root: the folder.
        below: what sources are relative to.
        known: hashes of files that did not change.
    """
    found = Scan()
    fresh: list[tuple[Source, Place, os.stat_result]] = []
    for source, place in _files(root, below, found):
        try:
            status = source.path.stat(follow_symlinks=False)
        except OSError as error:
            found.keep(source, place, f"cannot be read: {error.strerror}", failed=True)
            continue
        found.signs[os.fspath(source.path)] = signs(status)
        if not status.st_size:
            found.keep(source, place, "is empty")
        elif sha256 := known.get(source.path, status):
            found.hashes[place], found.sources[place] = sha256, source
        else:
            fresh.append((source, place, status))
    _let_rest(fresh)
    for source, place, status in fresh:
        _hash(source, place, status, known, found)
    return found


def _files(root: Path, below: Path, found: Scan) -> Iterator[tuple[Source, Place]]:
    taken: set[Place] = set()
    for item in in_folder(root, below):
        if isinstance(item, Skipped):
            found.told.append(item)
            if item.failed:
                found.hidden.add(place_of(Source(item.path / "any", asked=False, below=below))[0])
            continue
        if item.path.name.startswith(_LOCK_FILE):
            continue
        try:
            place = place_of(item)
        except BadInput as error:
            found.told.append(Skipped(item.path, error.message, failed=True))
            continue
        if place in taken:
            reason = "another file has the same name and folder but for signs that are not seen"
            found.told.append(Skipped(item.path, reason, failed=True))
            continue
        taken.add(place)
        yield item, place


def _let_rest(fresh: list[tuple[Source, Place, os.stat_result]]) -> None:
    """Wait until files that were just written to would show that they still are."""
    ages = [time.time() - status.st_mtime for _, _, status in fresh]
    young = [age for age in ages if 0 <= age < STILL_SECONDS]
    if young:
        time.sleep(STILL_SECONDS - min(young))


def _hash(source: Source, place: Place, before: os.stat_result, known: Known, found: Scan) -> None:
    """Read a file; one that changes meanwhile waits for the next look."""
    try:
        with CountedFile(source, lambda _: None) as file:
            status = os.fstat(file.fileno())
            head = file.read(media.HEAD_BYTES)
            media.sniff(place[1], head)
            digest = hashlib.sha256(head)
            while file.tell() <= status.st_size and (piece := file.read(_READ_BYTES)):  # it may grow as we read
                digest.update(piece)
            after = os.fstat(file.fileno())
    except UnsupportedMediaType:
        found.keep(source, place, "is of a format that Atoll does not read")
        return
    except (AtollError, OSError) as error:
        said = error.message if isinstance(error, AtollError) else f"cannot be read: {error.strerror}"
        found.keep(source, place, said, failed=True)
        return
    if not signs(before) == signs(status) == signs(after):
        found.keep(source, place, "is being written; its turn comes with the next run")
        return
    known.note(source.path, status, digest.hexdigest())
    found.hashes[place], found.sources[place] = digest.hexdigest(), source
