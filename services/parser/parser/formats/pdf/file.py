"""Opens a PDF, or says what is wrong with it."""

from __future__ import annotations

import contextlib
import ctypes
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from atoll.errors import DocumentEncrypted, DocumentUnreadable
from parser.locked import encrypted

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator
    from typing import BinaryIO

_END_MARK = b"%%EOF"
#: Writers put little after the end mark; readers have always looked this far back.
_END_WITHIN = 4096


@contextlib.contextmanager
def opened(data: mmap.mmap, password: str | None = None) -> Iterator[pypdfium2.PdfDocument]:
    """The document in mapped bytes.

    Raises:
        DocumentEncrypted: it is encrypted, and the password does not open it.
        DocumentUnreadable: it is damaged, cut off or has no pages.
    """
    view = (ctypes.c_ubyte * len(data)).from_buffer(data)
    has_end = data.rfind(_END_MARK, max(0, len(data) - _END_WITHIN)) >= 0
    try:
        document = _loaded(view, password)
    except pypdfium2.PdfiumError as err:
        raise _refusal(err, has_end, password) from err
    try:
        if not has_end and not pdfium.FPDF_DocumentHasValidCrossReferenceTable(document.raw):
            raise DocumentUnreadable(_CUT_OFF)
        if not len(document):
            raise DocumentUnreadable("the PDF has no pages")
        if document.get_formtype() != pdfium.FORMTYPE_NONE:
            document.init_forms()
        yield document
    finally:
        document.close()


def _loaded(view: ctypes.Array[ctypes.c_ubyte], password: str | None) -> pypdfium2.PdfDocument:
    """The document without its password, if it opens so: one password is sent with files that need none, too."""
    try:
        return pypdfium2.PdfDocument(view)
    except pypdfium2.PdfiumError as err:
        if password is None or getattr(err, "err_code", None) != pdfium.FPDF_ERR_PASSWORD:
            raise
    return pypdfium2.PdfDocument(view, password=password)


def write_open(data: mmap.mmap, password: str | None, file: BinaryIO) -> None:
    """Write a PDF that only a password opens as one that needs none, so that its pages can be drawn; no other PDF."""
    if password is None:
        return
    try:
        with opened(data):
            return
    except DocumentEncrypted:
        with opened(data, password) as document:
            document.save(file, flags=pdfium.FPDF_REMOVE_SECURITY)


_CUT_OFF = "the PDF is cut off: its end is missing; upload the complete file again"


def _refusal(err: pypdfium2.PdfiumError, has_end: bool, password: str | None) -> DocumentUnreadable:
    code = getattr(err, "err_code", None)
    if code == pdfium.FPDF_ERR_PASSWORD:
        return encrypted("the PDF", password)
    if code == pdfium.FPDF_ERR_SECURITY:
        return DocumentUnreadable("the PDF is encrypted in a way that cannot be read; save it without protection")
    if code == pdfium.FPDF_ERR_SUCCESS and has_end:
        # How pdfium says that nothing went wrong but there is no page to show. It never resets an older error, which
        # is none here: a process loads one document.
        return DocumentUnreadable("the PDF has no pages")
    return DocumentUnreadable("the PDF is damaged and cannot be read" if has_end else _CUT_OFF)
