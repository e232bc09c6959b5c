"""Zip archives that documents come in: opened within limits, XML parts without entities."""

from __future__ import annotations

import io
import posixpath
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any

from lxml import etree

from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.locked import encrypted

if TYPE_CHECKING:
    from parser.limits import ContentLimits

_READ_BYTES = 256 * 1024
#: The ratio of a small entry says nothing.
_RATIO_COUNTS_FROM = 1024 * 1024
#: The bit of a part's flags that says so.
_ENCRYPTED = 1
#: How packers mark what they encrypt by AES.
_AES = 99
#: What an encrypted Office document is called inside the old container that it lies in.
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"


class Archive:
    """The parts of a zip archive. Everything is inflated once and counted: what a zip says about itself may be a lie.

    For messages, ``what`` is what the file should be ("a Word document"), ``old`` the format before that and what to do
    ("the old Word format: save it as .docx").

    Raises:
        DocumentEncrypted: it is encrypted and takes a password, which is absent or another one.
        DocumentUnreadable: the bytes are no zip archive, it is damaged, or encrypted.
        DocumentTooLarge: it inflates to too much.
    """

    def __init__(
        self,
        data: bytes,
        limits: ContentLimits,
        *,
        what: str,
        old: str,
        takes_password: bool = False,
        password: str | None = None,
    ) -> None:
        self._what = what
        self._takes_password = takes_password
        self._password = password
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, EOFError, OSError, ValueError, struct.error) as err:
            raise _refusal(data, what, old) from err
        if password is not None:
            self._zip.setpassword(password.encode())
        self._names = {entry.filename.lower(): entry.filename for entry in self._zip.infolist()}
        self._check(limits)

    def _check(self, limits: ContentLimits) -> None:
        entries = self._zip.infolist()
        if len(entries) > limits.archive_entries:
            raise DocumentTooLarge(f"the archive has {len(entries)} entries; the limit is {limits.archive_entries}")
        total = 0
        for entry in entries:
            is_encrypted = bool(entry.flag_bits & _ENCRYPTED)
            if is_encrypted:
                self._check_encrypted(entry)
            try:
                total += self._inflated(entry, limits, limits.inflated_bytes - total)
            except (EOFError, RuntimeError, ValueError, struct.error, zlib.error, OSError, zipfile.BadZipFile) as err:
                if is_encrypted:  # a wrong password is told at once or, one time in 256, by what it inflates to
                    raise encrypted("the archive", self._password) from err
                raise DocumentUnreadable("the document is damaged: its archive cannot be unpacked") from err

    def _check_encrypted(self, entry: zipfile.ZipInfo) -> None:
        if not self._takes_password:
            raise DocumentUnreadable("the document is encrypted; remove the password and upload again")
        if entry.compress_type == _AES:
            raise DocumentUnreadable("the archive is encrypted in a way that is not read; pack it without a password")
        if self._password is None:
            raise encrypted("the archive", None)

    def _inflated(self, entry: zipfile.ZipInfo, limits: ContentLimits, left: int) -> int:
        most = max(_RATIO_COUNTS_FROM, entry.compress_size * limits.archive_ratio)
        count = 0
        with self._zip.open(entry) as file:
            while piece := file.read(_READ_BYTES):
                count += len(piece)
                if count > left:
                    raise DocumentTooLarge(f"the archive inflates past the limit of {limits.inflated_bytes} bytes")
                if count > most:
                    raise DocumentTooLarge(
                        f"an archive entry inflates to more than {limits.archive_ratio} times its size; is it a zip "
                        "bomb?"
                    )
        return count

    @property
    def names(self) -> list[str]:
        """The names of all parts."""
        return self._zip.namelist()

    def has(self, name: str) -> bool:
        """Whether there is a part of that name; writers do not agree on upper and lower case."""
        return name.lstrip("/").lower() in self._names

    def read(self, name: str) -> bytes:
        """A part's bytes.

        Raises:
            DocumentUnreadable: there is no such part.
        """
        return self._zip.read(self._found(name))

    def open(self, name: str) -> IO[bytes]:
        """A part as a stream, for those that may be long. Raises DocumentUnreadable as `read`."""
        return self._zip.open(self._found(name))

    def _found(self, name: str) -> str:
        found = self._names.get(name.lstrip("/").lower())
        if found is None:
            raise DocumentUnreadable(f"the file is {self._what} without its part {name[:80]}: save it again")
        return found

    def xml(self, name: str) -> Any:
        """The root of an XML part.

        Raises:
            DocumentUnreadable: there is no such part, or it is no XML.
        """
        return self.root(name, self.read(name))

    def root(self, name: str, content: bytes) -> Any:
        """The root of an XML part that was read already."""
        try:
            return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError as err:
            raise DocumentUnreadable(f"the document is damaged: its part {name[:80]} is no XML") from err


def resolved(part: str, target: str) -> str:
    """The name of a part that another refers to by ``target``."""
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target)).lstrip("/")


def _refusal(data: bytes, what: str, old: str) -> DocumentUnreadable:
    if data.startswith(_OLD_OFFICE) and _ENCRYPTED_PACKAGE in data:
        return DocumentUnreadable("the document is encrypted: take its password off, save it and upload it again")
    if data.startswith(_OLD_OFFICE):
        return DocumentUnreadable(f"the document is encrypted or in {old} without a password")
    return DocumentUnreadable(f"the file is not {what}: its content is not a zip archive")
