"""Settings of reading documents: the parser's limits, and how pictures are read."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from atoll.settings.sections import Count, Seconds, Section


class ParserSettings(Section):
    """The role that reads untrusted bytes: one limited child per document."""

    socket: Path | None = Field(None, description="Unix socket of the parser; default <data>/run/parser.sock.")
    concurrency: int = Field(0, ge=0, description="Children at a time; 0 means the number of cores.")
    memory_mib: Count = Field(1536, description="Address space of one child.")
    cpu_seconds: Count = Field(300, description="Processor time of one child.")
    wall_seconds: Seconds = Field(600.0, description="Longest life of one child.")
    output_mib: Count = Field(512, description="Largest file a child may write.")
    max_pages: Count = Field(5_000, description="Pages in a document.")
    max_characters: Count = Field(20_000_000, description="Characters extracted from a document.")
    max_page_glyphs: Count = Field(200_000, description="Signs on a PDF's page; a page with more is not read.")


class OcrSettings(Section):
    """Reading of pictures: scanned pages and photographs of them."""

    data_dir: Path | None = Field(None, description="Folder of tesseract's language data; default Debian's.")
    languages: str = Field(
        "eng+deu+fra+spa",
        pattern=r"^[A-Za-z_]{2,30}(\+[A-Za-z_]{2,30}){0,9}$",
        description="Languages that pictures are read in, joined by +; those without data are left out.",
    )
