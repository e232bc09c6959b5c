"""How truly documents are read, file by file: python -m benchmarks.reading.

Word recall, word precision and order error of the parser's whole output, and how many cells of tables stand under
their column's head and beside their row's: for forty files that are written here (ten structures in DOCX, PPTX, PDF and
HTML), whose truth is known, and for those of ``../shared/data/documents`` against an independent reading by pdftotext,
LibreOffice, pandoc, python-pptx or openpyxl. A table goes to standard error. A file whose reader is not installed says
so in its row.
"""

from __future__ import annotations

import csv
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from email import message_from_bytes, policy
from pathlib import Path

from openpyxl import load_workbook
from pptx import Presentation
from tests.support.fidelity import cells_right, compare, everything, words
from tests.support.structures import Structure, structures
from tests.support.writers import WRITERS
from tests.unit.parser.reading import read

from atoll.domain import media
from atoll.domain.parsed import ParsedDocument

PUBLIC = Path(__file__).parents[2] / "shared" / "data" / "documents"
#: The published password of the one public document that has one.
PASSWORDS = {"2206.01062_pg3.pdf": "1234"}
LEAST, MOST_DISORDER = 0.98, 0.01
_SECONDS = 120


@dataclass(frozen=True)
class Line:
    """What was measured of a file; ``cells`` as right of all, ``note`` what there is to say of it."""

    file: str
    reference: str
    words: int = 0
    recall: float | None = None
    precision: float | None = None
    disorder: float | None = None
    cells: str = ""
    note: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it reaches the targets; a file that was not measured does."""
        if self.recall is None or self.precision is None or self.disorder is None:
            return True
        right, _, total = self.cells.partition("/")
        return min(self.recall, self.precision) >= LEAST and self.disorder <= MOST_DISORDER and right == total


def main() -> None:
    """Measure, print the table and the JSON."""
    lines = [*_written(), *_public()]
    for line in (Line("file", "against", note=""), *lines):
        shares = (
            f"{share:7.3f}" if share is not None else " " * 7 for share in (line.recall, line.precision, line.disorder)
        )
        mark = "" if line.is_good else "  below the target"
        print(
            f"{line.file:28} {line.reference:12} {line.words:6} {' '.join(shares)} {line.cells:>8} {line.note}{mark}",
            file=sys.stderr,
        )
    measured = [line for line in lines if line.recall is not None]
    told = {
        "targets": {"recall": LEAST, "precision": LEAST, "disorder": MOST_DISORDER},
        "measured": len(measured),
        "below_target": [line.file for line in lines if not line.is_good],
        "files": [{key: value for key, value in asdict(line).items() if value not in {None, ""}} for line in lines],
    }
    print(json.dumps(told))


def _read(name: str, content: bytes) -> ParsedDocument:
    with tempfile.TemporaryDirectory() as folder:
        kind = media.sniff(name, content[: media.HEAD_BYTES])
        return read(Path(folder), content, kind, name=name, password=PASSWORDS.get(name)).document


def _measured(name: str, against: str, reference: str, found: str, cells: str = "") -> Line:
    shares = compare(words(reference), words(found))
    figures = [round(each, 4) for each in (shares.recall, shares.precision, shares.disorder)]
    return Line(name, against, shares.words, *figures, cells)


def _written() -> Iterator[Line]:
    for structure in structures():
        for suffix, write in WRITERS.items():
            yield _against_truth(structure, f"{structure.name}.{suffix}", write(structure))


def _against_truth(structure: Structure, name: str, content: bytes) -> Line:
    document = _read(name, content)
    right, total = cells_right(structure.grids, document)
    found = everything(document, labels=False, without=(structure.header, structure.footer))
    return _measured(name, "truth", structure.words_of(), found, f"{right}/{total}" if total else "")


def _public() -> Iterator[Line]:
    if not PUBLIC.is_dir():
        yield Line("shared/data/documents", "", note="are not here")
        return
    for path in sorted(PUBLIC.iterdir()):
        program, reader = _READERS.get(path.suffix, ("", None))
        if reader is None or path.name in _PICTURES:
            yield Line(path.name, "", note="a picture: there is no digital text to compare with")
        elif program and shutil.which(program) is None:
            yield Line(path.name, program, note="is not installed")
        else:
            document = _without_charts(_read(path.name, path.read_bytes()))
            # Only the programs print the numbers of lists.
            yield _measured(path.name, program or "python", reader(path), everything(document, labels=bool(program)))


def _without_charts(document: ParsedDocument) -> ParsedDocument:
    """A workbook without the tables that were made of its charts: no independent reader gives their values."""
    if document.how.parser != "workbook":
        return document
    cells = {id(block): [cell for row in block.rows for cell in row.cells] for block in document.blocks}
    kept = (each for each in document.blocks if not each.rows or any(cell.address for cell in cells[id(each)]))
    return replace(document, blocks=tuple(kept))


def _pdftotext(path: Path) -> str:
    password = PASSWORDS.get(path.name)
    return _output("pdftotext", *(("-upw", password) if password else ()), str(path), "-")


def _pandoc(path: Path) -> str:
    return _output("pandoc", "--to=plain", "--wrap=none", str(path))


def _office(path: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        profile = f"-env:UserInstallation=file://{folder}/profile"
        _output(
            "soffice", profile, "--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", folder, str(path)
        )
        written = Path(folder, path.stem).with_suffix(".txt").read_text("utf-8-sig")
    # LibreOffice leaves the descriptions of pictures out of a text.
    with zipfile.ZipFile(path) as package:
        described = re.findall(r'<wp:docPr[^>]*? descr="([^"]*)"', package.read("word/document.xml").decode())
    return "\n".join([*map(html.unescape, described), written])


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout


def _slides(path: Path) -> str:
    texts: list[str] = []
    for slide in Presentation(str(path)).slides:
        for shape in slide.shapes:
            if shape.has_text_frame:
                texts.append(shape.text_frame.text)
            elif shape.has_table:
                texts += [cell.text for row in shape.table.rows for cell in row.cells if not cell.is_spanned]
            else:
                texts.append(str(shape.element.xpath("string(.//p:cNvPr/@descr)")))
        if slide.has_notes_slide:
            texts.append(slide.notes_slide.notes_text_frame.text)
    return "\n".join(texts)


def _workbook(path: Path) -> str:
    texts: list[str] = []
    for sheet in load_workbook(path, data_only=True):
        texts.append(sheet.title)
        texts += [str(value) for row in sheet.iter_rows(values_only=True) for value in row if value is not None]
    return "\n".join(texts)


def _table(path: Path) -> str:
    with path.open(newline="") as file:
        return "\n".join(cell for row in csv.reader(file) for cell in row)


def _mail(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    heads = [f"{name}: {message[name]}" for name in ("From", "To", "Date") if message[name]]
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    names = [name for part in parts if (name := part.get_filename())]
    plain = [part.get_content() for part in parts if part.get_content_subtype() == "plain"]
    return "\n".join([str(message["Subject"] or ""), *heads, "Attachments:", *names, *plain[:1], *names, *plain[1:]])


_PICTURES = frozenset({"ocr_test.pdf", "ocr_test_rotated_90.pdf"})
#: By suffix: the program that reads it, if one does, and how.
_READERS: dict[str, tuple[str, Callable[[Path], str] | None]] = {
    ".pdf": ("pdftotext", _pdftotext),
    ".docx": ("soffice", _office),
    ".pptx": ("", _slides),
    ".xlsx": ("", _workbook),
    ".html": ("pandoc", _pandoc),
    ".epub": ("pandoc", _pandoc),
    ".csv": ("", _table),
    ".eml": ("", _mail),
}


if __name__ == "__main__":
    main()
