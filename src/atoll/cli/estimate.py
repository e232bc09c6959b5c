"""What an ingest will take: pages of the files, times what a page took here, before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import pypdfium2

from atoll.cli.client import Client, kb_path
from atoll.cli.render import counted, size
from atoll.cli.sources import Source
from atoll.domain import media
from atoll.errors import UnsupportedMediaType

#: Documents that are looked at to see what a page takes.
_LOOKED_AT = 100
#: Bytes of a page where no document of the format was ingested yet.
_BYTES_A_PAGE = {
    media.PDF: 60_000, media.DOCX: 12_000, media.HTML: 8_000, media.PPTX: 40_000, media.ODP: 40_000, media.ODT: 12_000,
    media.XLSX: 8_000, media.ODS: 8_000, media.EPUB: 12_000,
    **dict.fromkeys((kind for kind, family in media.FAMILIES.items() if family == "picture"), 400_000),
}  # fmt: skip
_TEXT_BYTES_A_PAGE = 2_500
_BLOCK_BYTES = 512
_MINUTE_SECONDS, _HOUR_SECONDS = 60, 3600


@dataclass(frozen=True, slots=True)
class Experience:
    """What ready documents took: None and empty where nothing was ingested yet.

    ``seconds_a_page`` is time that passed while any of them was on its way, over their pages: with several workers
    it is less than what one page takes. ``disk_bytes_a_page`` leaves originals out, and is None from another machine.
    """

    documents: int = 0
    seconds_a_page: float | None = None
    disk_bytes_a_page: float | None = None
    bytes_a_page: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What files will take; None where there is nothing to go by."""

    files: int
    bytes: int
    pages: int
    counted_pages: int
    unsupported: int
    experience: Experience
    free_bytes: int | None

    @property
    def seconds(self) -> float | None:
        """How long it will take."""
        per_page = self.experience.seconds_a_page
        return None if per_page is None else self.pages * per_page

    @property
    def disk_bytes(self) -> int | None:
        """What it will leave on the disk, originals included."""
        per_page = self.experience.disk_bytes_a_page
        return None if per_page is None else self.bytes + round(self.pages * per_page)

    def body(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "pages": self.pages,
            "counted_pages": self.counted_pages,
            "unsupported": self.unsupported,
            "measured_documents": self.experience.documents,
            "seconds_per_page": _rounded(self.experience.seconds_a_page),
            "seconds": _rounded(self.seconds),
            "disk_bytes_per_page": _rounded(self.experience.disk_bytes_a_page),
            "disk_bytes": self.disk_bytes,
            "free_bytes": self.free_bytes,
        }


def experience(client: Client, kb: str, data_dir: Path | None) -> Experience:
    """Return what the latest documents took, of the knowledge base or of another one where it has none.

    ``data_dir`` is the installation's, if that is on this machine.
    """
    kbs = sorted(client.collect("/v1/kbs", "kbs")["kbs"], key=lambda each: each["name"] != kb)
    for each in kbs:
        listing = client.get(f"{kb_path(each['name'])}/documents", status="ready", limit=_LOOKED_AT)
        ready = [document for document in listing["documents"] if document["pages"]]
        if ready:
            folder = None if data_dir is None else data_dir / "blobs" / each["id"]
            shared = None if data_dir is None else _shared_bytes(data_dir, kbs)
            return _experience(ready, folder, shared)
    return Experience()


def _experience(ready: Sequence[Mapping[str, Any]], folder: Path | None, bytes_a_passage: float | None) -> Experience:
    pages = sum(each["pages"] for each in ready)
    disk = None
    if folder is not None and bytes_a_passage is not None:
        artefacts = sum(_size_of(folder / each["id"] / "artefacts") for each in ready)
        disk = (artefacts + bytes_a_passage * sum(each["passages"] for each in ready)) / pages
    sizes: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for each in ready:
        sizes[each["media_type"]] += each["bytes"]
        numbers[each["media_type"]] += each["pages"]
    return Experience(
        documents=len(ready),
        seconds_a_page=busy_seconds(ready) / pages,
        disk_bytes_a_page=disk,
        bytes_a_page={name: sizes[name] / number for name, number in numbers.items()},
    )


def busy_seconds(documents: Iterable[Mapping[str, Any]]) -> float:
    """Return for how long at least one of the documents was between upload and ready."""
    spans = sorted(
        (datetime.fromisoformat(each["created_at"]), datetime.fromisoformat(each["ready_at"])) for each in documents
    )
    total = 0.0
    reached: datetime | None = None
    for start, end in spans:
        begins = start if reached is None else max(start, reached)
        if end > begins:
            total += (end - begins).total_seconds()
            reached = end
    return total


def estimate(sources: Sequence[Source], known: Experience, free_bytes: int | None) -> Estimate:
    """Return what the files will take."""
    total = counted = unsupported = size = 0
    for source in sources:
        try:
            bytes_there = source.path.stat().st_size
            with source.path.open("rb") as file:
                kind = media.sniff(source.name, file.read(media.HEAD_BYTES))
        except UnsupportedMediaType:
            unsupported += 1
            continue
        pages = _pages_of_pdf(source.path) if kind == media.PDF else None
        counted += pages or 0
        per_page = known.bytes_a_page.get(kind) or _BYTES_A_PAGE.get(kind, _TEXT_BYTES_A_PAGE)
        total += pages or max(1, round(bytes_there / per_page))
        size += bytes_there
    return Estimate(
        files=len(sources) - unsupported,
        bytes=size,
        pages=total,
        counted_pages=counted,
        unsupported=unsupported,
        experience=known,
        free_bytes=free_bytes,
    )


def _pages_of_pdf(path: Path) -> int | None:
    """Return the number of pages, None for what does not open: that will be told when it is ingested."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return None
    try:
        return len(document)
    finally:
        document.close()


def _shared_bytes(data_dir: Path, kbs: Iterable[Mapping[str, Any]]) -> float | None:
    """Return what records and index take a passage, None where the key may not know how many there are."""
    passages = sum(int(each["passages"] or 0) for each in kbs)
    if not passages:
        return None
    records = sum(path.stat().st_size for path in data_dir.glob("records.sqlite3*"))
    return (records + _size_of(data_dir / "vectors")) / passages


def _size_of(folder: Path) -> int:
    """Return the bytes that the files of a folder take on the disk."""
    return sum(path.lstat().st_blocks * _BLOCK_BYTES for path in folder.rglob("*"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def show(found: Estimate) -> None:
    """Print what an ingest will take."""
    how = f" ({found.counted_pages} counted, the others by their size)" if found.counted_pages else " (by size)"
    click.echo(f"{counted(found.files, 'file')}, {size(found.bytes)}, {counted(found.pages, 'page')}{how}")
    if found.unsupported:
        click.echo(f"{found.unsupported} more are of formats that Atoll does not read")
    known = found.experience
    if found.seconds is None or known.seconds_a_page is None:
        click.echo("time   cannot be told: nothing was ingested here yet; ingest a few of them, then ask again")
    else:
        click.echo(
            f"time   {_duration(found.seconds)}: {known.seconds_a_page:.2f} s a page, as the latest "
            f"{known.documents} documents took"
        )
    if found.disk_bytes is None or known.disk_bytes_a_page is None:
        click.echo(f"disk   {size(found.bytes)} of originals; what is made of them can only be told where it lies")
    else:
        free = "" if found.free_bytes is None else f"; {size(found.free_bytes)} are free"
        click.echo(f"disk   {size(found.disk_bytes)}: {size(round(known.disk_bytes_a_page))} a page{free}")


def _duration(seconds: float) -> str:
    if seconds < _MINUTE_SECONDS:
        return f"{seconds:.0f} s"
    return f"{seconds / _MINUTE_SECONDS:.0f} min" if seconds < _HOUR_SECONDS else f"{seconds / _HOUR_SECONDS:.1f} hours"
