"""Filled forms and notes on a page: drawn into it, so that what is read is what is seen, and the ticks of its boxes."""

from __future__ import annotations

from ctypes import byref
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium

from atoll.errors import DocumentUnreadable
from parser.text import TICKED, UNTICKED

_MOST_ANNOTATIONS = 10_000
_BOXES = frozenset({pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON})


class Tick(NamedTuple):
    """A box of a form, in PDF coordinates, and how it is written."""

    left: float
    bottom: float
    right: float
    top: float
    text: str


def shown_page(document: pypdfium2.PdfDocument, index: int) -> tuple[pypdfium2.PdfPage, list[Tick]]:
    """A page (from 0) as it is printed: the values of its fields and its notes are part of it. Also its ticks.

    Nothing is written to the file: the page is changed in memory.

    Raises:
        DocumentUnreadable: the page cannot be loaded.
    """
    page = _loaded(document, index)
    count = min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST_ANNOTATIONS)
    if count <= 0:
        return page, []
    ticks = _ticks(document, page, count) if document.formenv else []
    if pdfium.FPDFPage_Flatten(page.raw, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_SUCCESS:
        page.close()
        page = _loaded(document, index)
    return page, ticks


def _loaded(document: pypdfium2.PdfDocument, index: int) -> pypdfium2.PdfPage:
    try:
        return document[index]
    except pypdfium2.PdfiumError as err:
        raise DocumentUnreadable(f"page {index + 1} is damaged and cannot be read", page=index + 1) from err


def _ticks(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, count: int) -> list[Tick]:
    environment = document.formenv.raw
    found: list[Tick] = []
    for index in range(count):
        annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            if pdfium.FPDFAnnot_GetFormFieldType(environment, annotation) not in _BOXES:
                continue
            if pdfium.FPDFAnnot_GetFlags(annotation) & pdfium.FPDF_ANNOT_FLAG_HIDDEN:
                continue
            place = pdfium.FS_RECTF()
            if pdfium.FPDFAnnot_GetRect(annotation, byref(place)):
                text = TICKED if pdfium.FPDFAnnot_IsChecked(environment, annotation) else UNTICKED
                found.append(Tick(place.left, place.bottom, place.right, place.top, text))
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    return found
