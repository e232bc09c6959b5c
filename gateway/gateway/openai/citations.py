"""What an answer rests on, in the forms in which clients show it.

``sources`` is Open WebUI's. It numbers the distinct values of ``metadata.source`` and takes ``[n]`` as that number, so
that each citation has a value of its own here; one that began with ``http`` would make the reader's browser ask a
search engine on the internet for the icon of our host. ``annotations`` are OpenAI's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from atoll.domain.answer import Citation
from atoll.domain.evidence import Evidence
from gateway.citing import page_name

_MARK = re.compile(r"\[(\d{1,3})\]")

#: Gives the address of a cited page.
Address = Callable[[Evidence], str]


def sources(citations: Sequence[Citation], address: Address) -> list[dict[str, Any]]:
    """Return the citations, each a source of its own, in the order of their numbers."""
    return [_source(each, address(each.evidence)) for each in sorted(citations, key=lambda each: each.n)]


def _source(citation: Citation, url: str) -> dict[str, Any]:
    cited = citation.evidence
    name = page_name(cited)
    own = f"{cited.document}#p{cited.page}-{citation.n}"
    about = {
        "source": f"./{own}" if own.startswith("http") else own,
        "name": name,
        "document": cited.document,
        "page": cited.page - 1,  # Open WebUI counts from nought, and shows one more
        "passage_id": cited.passage_id,
    }
    return {
        "source": {"id": f"{cited.passage_id or cited.document_id}-{citation.n}", "name": name, "url": url},
        "document": [cited.text],
        "metadata": [about],
        "distances": [cited.score],
    }


def annotated(text: str, citations: Sequence[Citation], address: Address) -> list[dict[str, Any]]:
    """Return where in the text what is cited: one annotation a mark."""
    return [
        {"type": "url_citation", "url_citation": flat_annotation(mark, cited, address)}
        for mark, cited in marks(text, citations)
    ]


def flatly_annotated(text: str, citations: Sequence[Citation], address: Address) -> list[dict[str, Any]]:
    """Return `annotated` as the API of responses has them."""
    return [{"type": "url_citation", **flat_annotation(mark, cited, address)} for mark, cited in marks(text, citations)]


def flat_annotation(mark: re.Match[str], cited: Evidence, address: Address) -> dict[str, Any]:
    """Return what an annotation says of one mark."""
    return {"start_index": mark.start(), "end_index": mark.end(), "url": address(cited), "title": page_name(cited)}


def marks(text: str, citations: Sequence[Citation]) -> list[tuple[re.Match[str], Evidence]]:
    """Return the marks of a text with what each refers to."""
    known = {each.n: each.evidence for each in citations}
    found = ((mark, known.get(int(mark[1]))) for mark in _MARK.finditer(text))
    return [(mark, cited) for mark, cited in found if cited is not None]
