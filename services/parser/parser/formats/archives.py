"""Archives: every member that can be set on our pages is read as a section under its path; the others are told.

Nothing is unpacked to a disk, so that a path that leaves the folder, a link or a device leads nowhere.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from typing import TYPE_CHECKING, Any

from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.archive import Archive
from parser.formats.members import Members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element
    from parser.formats.members import Reader
    from parser.limits import ContentLimits

_WHAT, _OLD = "a zip archive", "another format: pack it as .zip"
_READ_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"
_GZIP_HEADER_BYTES, _NAME_BYTES, _HAS_NAME, _HAS_EXTRA = 10, 300, 8, 4
#: What systems leave in archives beside the files that were packed.
_LEFT_BEHIND = ("__MACOSX/", "._", ".DS_Store", "Thumbs.db", "desktop.ini")
_DAMAGED = (EOFError, OSError, zlib.error, tarfile.TarError, ValueError)


def zipped(data: bytes, collector: Collector, readers: dict[str, Reader], depth: int) -> Iterator[Element]:
    """The members of a zip archive in their order.

    Raises:
        DocumentEncrypted: it is encrypted, and the upload's password does not open it.
        DocumentUnreadable: the bytes are no zip archive, or it is damaged.
        DocumentTooLarge: it has too many members, or inflates to too much.
    """
    archive = Archive(data, collector.limits, what=_WHAT, old=_OLD, takes_password=True, password=collector.password)
    members = Members(readers, collector, depth)
    for name in archive.names:
        if not name.endswith("/") and not _is_left_behind(name):
            yield from members.read(name, archive.read(name))


def tarred(data: bytes, collector: Collector, readers: dict[str, Reader], depth: int) -> Iterator[Element]:
    """The members of a tar archive, packed or not, or the one file that is packed.

    Raises:
        DocumentUnreadable: the bytes are no such archive, or it is damaged.
        DocumentTooLarge: it has too many members, or inflates to too much.
    """
    members = Members(readers, collector, depth)
    content = _inflated(data, collector.limits) if data.startswith(_GZIP) else data
    try:
        archive = tarfile.TarFile(fileobj=io.BytesIO(content))
    except tarfile.TarError as err:
        if content is data:
            raise DocumentUnreadable("the file is no tar archive, or packed in a way that is not read") from err
        yield from members.read(_packed_name(data), content)
        return
    with archive:
        for name, inner in _files(archive, collector.limits):
            yield from members.read(name, inner)


def _files(archive: tarfile.TarFile, limits: ContentLimits) -> Iterator[tuple[str, bytes]]:
    try:
        for number, member in enumerate(archive, start=1):
            if number > limits.archive_entries:
                raise DocumentTooLarge(f"the archive has more than {limits.archive_entries} members")
            if member.isfile() and not member.issparse() and not _is_left_behind(member.name):
                file: Any = archive.extractfile(member)
                yield member.name, file.read()
    except _DAMAGED as err:
        raise DocumentUnreadable("the archive is damaged: it cannot be unpacked") from err


def _inflated(data: bytes, limits: ContentLimits) -> bytes:
    """What is packed, within the limit of size and the usual ratio."""
    most = min(limits.inflated_bytes, max(len(data) * limits.archive_ratio, 1024 * 1024))
    out = bytearray()
    try:
        with gzip.open(io.BytesIO(data)) as file:
            while piece := file.read(_READ_BYTES):
                out += piece
                if len(out) > most:
                    raise DocumentTooLarge(f"the archive inflates to more than {most} bytes; is it a bomb?")
    except _DAMAGED as err:
        raise DocumentUnreadable("the archive is damaged: it cannot be unpacked") from err
    return bytes(out)


def _packed_name(data: bytes) -> str:
    """The name of the one file in a gzip file, where that says it."""
    end = data.find(b"\0", _GZIP_HEADER_BYTES, _GZIP_HEADER_BYTES + _NAME_BYTES)
    if data[3] & _HAS_EXTRA or not data[3] & _HAS_NAME or end < 0:
        return "packed file"
    return data[_GZIP_HEADER_BYTES:end].decode("latin-1")


def _is_left_behind(name: str) -> bool:
    return name.startswith(_LEFT_BEHIND) or name.rpartition("/")[2].startswith(_LEFT_BEHIND)
