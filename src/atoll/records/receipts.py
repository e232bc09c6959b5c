"""What a deletion says that it removes."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.document import Receipt
from atoll.domain.ids import DocumentUid


@dataclass(frozen=True, slots=True)
class Counted:
    """What a document consists of; ``kept`` of its ``entities`` are mentioned by other documents in the reader's sight.

    ``indexed`` says whether the vector index may hold points of it.
    """

    document: DocumentUid
    passages: int
    chunks: int
    pages: int
    entities: int
    kept: int
    mentions: int
    assertions: int
    bytes: int
    indexed: bool


def receipt(counted: Counted, *, dry_run: bool) -> Receipt:
    """Return the receipt of a deletion."""
    return Receipt(
        document=counted.document,
        dry_run=dry_run,
        removed={
            "passages": counted.passages,
            "chunks": counted.chunks,
            "pages": counted.pages,
            "entities": counted.entities - counted.kept,
            "mentions": counted.mentions,
            "assertions": counted.assertions,
            "vectors": counted.passages if counted.indexed else 0,
            "bytes": counted.bytes,
        },
        kept_entities=counted.kept,
    )
