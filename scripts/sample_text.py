"""The texts of the sample corpus: front matter, and Markdown read as a flat sequence of blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

ORGANISATION = "Korrin Lights and Ferries Authority"


@dataclass(frozen=True)
class Source:
    """One text of the corpus: its front matter and its body; `name` is the file it becomes."""

    name: str
    format: str
    title: str
    number: str
    date: dt.date
    body: str

    @classmethod
    def read(cls, path: Path) -> Source:
        """Read a source; raises ValueError or KeyError when its front matter is wrong."""
        opening, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
        if opening:
            raise ValueError(f"{path}: must begin with a line of three hyphens, then the front matter")
        fields = dict(line.split(": ", 1) for line in front.splitlines())
        date = dt.date.fromisoformat(fields["date"])
        return cls(f"{path.stem}.{fields['format']}", fields["format"], fields["title"], fields["number"], date, body)


@dataclass(frozen=True)
class Run:
    """A stretch of text in one style."""

    text: str
    bold: bool = False
    italic: bool = False


Inline = tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 (the title), 2 or 3."""

    level: int
    inline: Inline


@dataclass(frozen=True)
class Prose:
    """A paragraph."""

    inline: Inline


@dataclass(frozen=True)
class Listing:
    """A numbered or a bulleted list; the corpus nests none."""

    items: tuple[Inline, ...]
    ordered: bool


@dataclass(frozen=True)
class Grid:
    """A table; its first row is the heading."""

    rows: tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A drawing of the given size in points; `commands` as told in `sample_pdf`."""

    width: float
    height: float
    commands: tuple[str, ...]


@dataclass(frozen=True)
class NewPage:
    """The rest begins on a new page."""


Block = Heading | Prose | Listing | Grid | Figure | NewPage


def markdown() -> MarkdownIt:
    """Return the one dialect in which the sources are written."""
    return MarkdownIt("commonmark").enable("table")


def blocks(body: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown body in order; raises ValueError on one that no sample uses."""
    for node in SyntaxTreeNode(markdown().parse(body)).children:
        match node.type:
            case "heading":
                yield Heading(int(node.tag[1]), _inline(node))
            case "paragraph":
                yield Prose(_inline(node))
            case "ordered_list" | "bullet_list":
                yield Listing(tuple(_inline(item) for item in node.children), ordered=node.type == "ordered_list")
            case "table":
                rows = (row for part in node.children for row in part.children)
                yield Grid(tuple(tuple(_inline(cell) for cell in row.children) for row in rows))
            case "fence":
                _, width, height = node.info.split()
                yield Figure(float(width), float(height), tuple(node.content.splitlines()))
            case "hr":
                yield NewPage()
            case _:
                raise ValueError(f"the samples hold no {node.type}; write it with a block listed in sample_text.py")


def _inline(node: SyntaxTreeNode) -> Inline:
    return tuple(_runs(node, bold=False, italic=False))


def _runs(node: SyntaxTreeNode, *, bold: bool, italic: bool) -> Iterator[Run]:
    if node.type == "text":
        yield Run(node.content, bold, italic)
    elif node.type == "softbreak":
        yield Run(" ", bold, italic)
    for child in node.children:
        yield from _runs(child, bold=bold or node.type == "strong", italic=italic or node.type == "em")
