"""Which version a document is of what stands at its place, a name and a source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from atoll.domain.reader import Reader


class Placed(Protocol):
    """What has a version: a document that is accepted or amended."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def source(self) -> str | None:
        """Its source."""
        ...

    @property
    def labels(self) -> tuple[str, ...] | None:
        """Its labels, None for none."""
        ...


def numbered_among(reader: Reader, labels: Iterable[str] | None) -> Reader:
    """Return who sees exactly the documents that the version of a document with these labels is counted among.

    Whoever sees the document sees all of them, so that its version tells nobody of what is out of sight.
    """
    return replace(reader, labels=frozenset(labels or ()))


def versions_of(documents: Sequence[Placed], highest: Sequence[int]) -> list[int]:
    """Return the versions of documents that come to their places, in their order.

    ``highest`` is of each the highest version, 0 when there is none, of the documents at its place that are there for
    ``numbered_among`` its labels; those of ``documents`` that come before it count as well.
    """
    numbered: dict[tuple[str, str | None], list[tuple[frozenset[str], int]]] = {}
    versions = []
    for document, before in zip(documents, highest, strict=True):
        earlier = numbered.setdefault((document.name, document.source), [])
        labels = frozenset(document.labels or ())
        version = 1 + max([before, *(number for others, number in earlier if others <= labels)])
        earlier.append((labels, version))
        versions.append(version)
    return versions
