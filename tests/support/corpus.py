"""Documents made from a seed: five formats, from a line to some dozen pages, each with words of its own."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Mapping
from html import escape

import docx
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

_SUBJECTS = ("valve", "lantern", "ferry", "battery", "ramp", "cable", "engine", "beacon", "harbour", "winch", "gauge")
_VERBS = ("holds", "moves", "lifts", "warms", "records", "delays", "guards", "replaces", "measures", "carries")
_QUALITIES = ("old", "heavy", "green", "spare", "northern", "quiet", "worn", "polished", "hollow", "narrow", "steady")
_LINES_PER_PDF_PAGE = 48


def documents(seed: int, count: int, *, sentences: tuple[int, int] = (3, 400)) -> dict[str, bytes]:
    """Return ``count`` documents by name, with sizes spread evenly on a logarithmic scale."""
    chance = random.Random(seed)
    makers = list(_FORMATS.items())
    made = {}
    for number in range(count):
        suffix, maker = makers[number % len(makers)]
        low, high = sentences
        size = round(low * (high / low) ** chance.random())
        name = f"generated-{number:03d}.{suffix}"
        made[name] = maker(f"Report {number} of {seed}", list(_paragraphs(chance, number, size)))
    return made


def text(seed: int, sentences: int) -> bytes:
    """Return one plain text."""
    return _text(f"Report of {seed}", list(_paragraphs(random.Random(seed), seed, sentences)))


def _paragraphs(chance: random.Random, number: int, sentences: int) -> Iterator[str]:
    while sentences > 0:
        length = min(sentences, chance.randint(2, 6))
        sentences -= length
        yield " ".join(_sentence(chance, number) for _ in range(length))


def _sentence(chance: random.Random, number: int) -> str:
    subject, other = chance.sample(_SUBJECTS, 2)
    return (
        f"The {chance.choice(_QUALITIES)} {subject} {chance.choice(_VERBS)} the {chance.choice(_QUALITIES)} {other} "
        f"of station {number}-{chance.randint(100, 999)}."
    )


def _text(title: str, paragraphs: list[str]) -> bytes:
    return "\n\n".join([title.upper(), *paragraphs]).encode()


def _markdown(title: str, paragraphs: list[str]) -> bytes:
    parts = [f"# {title}"]
    for at, paragraph in enumerate(paragraphs):
        parts += [f"## Part {at // 5 + 1}", paragraph] if at % 5 == 0 else [paragraph]
    return "\n\n".join(parts).encode()


def _html(title: str, paragraphs: list[str]) -> bytes:
    body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>".encode()
    )


def _pdf(title: str, paragraphs: list[str]) -> bytes:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A4, invariant=True)
    lines = [title, *(f"{sentence}." for each in paragraphs for sentence in each.rstrip(".").split(". "))]
    for first in range(0, len(lines), _LINES_PER_PDF_PAGE):
        for at, line in enumerate(lines[first : first + _LINES_PER_PDF_PAGE]):
            canvas.drawString(60, 780 - 15 * at, line)
        canvas.showPage()
    canvas.save()
    return target.getvalue()


def _docx(title: str, paragraphs: list[str]) -> bytes:
    document = docx.Document()
    document.add_heading(title)
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


_FORMATS: Mapping[str, Callable[[str, list[str]], bytes]] = {
    "txt": _text,
    "md": _markdown,
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
}
