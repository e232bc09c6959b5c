"""Build samples/ from the texts in scripts/samples/; with --check, exit 1 when samples/ is not what would be built.

A source is Markdown with a front matter of `format`, `title`, `number` and `date`; `format` is the suffix of what
is built. The same sources give the same bytes on every machine: dates come from the front matter, and nothing is
compressed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import html
import io
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from string import Template
from typing import Any

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.text.paragraph import Paragraph
from sample_pdf import build_pdf
from sample_text import ORGANISATION, Grid, Heading, Inline, Listing, Prose, Run, Source, blocks, markdown

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = REPOSITORY / "scripts" / "samples"
SAMPLES = REPOSITORY / "samples"


def build_docx(source: Source) -> bytes:
    """Return a source as a Word document with styles, lists, tables and a running foot."""
    document = lean_document()
    properties = document.core_properties
    properties.title, properties.author, properties.comments = source.title, ORGANISATION, source.number
    properties.created = properties.modified = dt.datetime.combine(source.date, dt.time(9), dt.UTC)
    document.sections[0].footer.paragraphs[0].text = f"{ORGANISATION} | {source.number}"
    for block in blocks(source.body):
        match block:
            case Heading():
                add_runs(document.add_heading(level=block.level - 1), block.inline)
            case Prose():
                add_runs(document.add_paragraph(), block.inline)
            case Listing():
                add_list(document, block)
            case Grid():
                add_table(document, block.rows)
            case _:
                raise ValueError(f"{source.name}: only a PDF holds a {type(block).__name__}; take it out of the source")
    written = io.BytesIO()
    document.save(written)
    return without_clock(written.getvalue())


def lean_document() -> WordDocument:
    """Return an empty document without the 800 kB of styles in python-docx's template that no sample uses."""
    document = Document()
    for style in list(document.styles):
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in {"Normal Table", "Table Grid"}:
            style.delete()
    for relations, ending in ((document.part.rels, "/stylesWithEffects"), (document.part.package.rels, "/thumbnail")):
        for key in [key for key, relation in relations.items() if relation.reltype.endswith(ending)]:
            del relations[key]
    return document


def add_runs(paragraph: Paragraph, inline: Inline) -> None:
    """Append runs to a paragraph."""
    for run in inline:
        added = paragraph.add_run(run.text)
        added.bold, added.italic = run.bold or None, run.italic or None


def add_list(document: WordDocument, listing: Listing) -> None:
    """Append a list; a numbered one gets a numbering of its own, because Word counts on through a style."""
    style: Any = document.styles["List Number" if listing.ordered else "List Bullet"]
    numbering: Any = document.part.numbering_part.element
    shared = numbering.num_having_numId(style.element.pPr.numPr.numId.val)
    own = numbering.add_num(shared.abstractNumId.val)
    own.add_lvlOverride(0).add_startOverride(1)
    for item in listing.items:
        paragraph = document.add_paragraph(style=style)
        add_runs(paragraph, item)
        properties: Any = paragraph.paragraph_format.element.get_or_add_pPr()
        number = properties.get_or_add_numPr()
        number.get_or_add_ilvl().val = 0
        number.get_or_add_numId().val = own.numId


def add_table(document: WordDocument, rows: Sequence[Sequence[Inline]]) -> None:
    """Append a ruled table and the empty paragraph that keeps what follows off it."""
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for index, row in enumerate(rows):
        for cell, inline in zip(table.add_row().cells, row, strict=True):
            add_runs(cell.paragraphs[0], tuple(Run(run.text, bold=index == 0) for run in inline))
    document.add_paragraph()


def without_clock(archive: bytes) -> bytes:
    """Return the same zip archive with one fixed time on every member, and nothing compressed.

    Two builds of zlib may compress the same bytes differently.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as made, zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as fixed:
        for name in made.namelist():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else the platform's number, which differs on Windows
            fixed.writestr(member, made.read(name))
    return written.getvalue()


def build_html(source: Source) -> bytes:
    """Return a source as a page of a web site, with the navigation and footer that such pages have."""
    page = Template((SOURCES / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=html.escape(source.title),
        organisation=ORGANISATION,
        number=source.number,
        date=source.date.isoformat(),
        body=markdown().render(source.body),
    ).encode()


def build_text(source: Source) -> bytes:
    """Return the body as it stands, for Markdown and for plain text."""
    return source.body.encode()


BUILDERS: dict[str, Callable[[Source], bytes]] = {
    "pdf": build_pdf,
    "docx": build_docx,
    "html": build_html,
    "md": build_text,
    "txt": build_text,
}


def differences(built: dict[str, bytes]) -> list[str]:
    """Return one line for each file of samples/ that is missing, has no source or is not what was built."""
    present = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}
    stale = [name for name in sorted(built) if present.get(name) != built[name]]
    orphans = sorted(present.keys() - built.keys())
    return [
        *(f"samples/{name} is missing or out of date: run scripts/build_samples.py" for name in stale),
        *(f"samples/{name} has no source in scripts/samples/: remove it" for name in orphans),
    ]


def main() -> int:
    """Build, or check, every sample; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build samples/ from scripts/samples/.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when samples/ is out of date")
    arguments = parser.parse_args()
    sources = [Source.read(path) for path in sorted(SOURCES.glob("*.md"))]
    built = {source.name: BUILDERS[source.format](source) for source in sources}
    if not arguments.check:
        SAMPLES.mkdir(exist_ok=True)
        for name, content in built.items():
            (SAMPLES / name).write_bytes(content)
    found = differences(built)
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
