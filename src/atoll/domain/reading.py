"""How a document was read: the versions of the steps that read it, and what the parser found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Raised when the parser's output for the same bytes changes.
PARSE_VERSION = 9
#: Raised when the chunker's output for the same blocks changes.
CHUNK_VERSION = 3
#: Raised when passages or pages are given to the embedders in another way.
EMBED_VERSION = 2
#: The number of the pipeline that reads documents: raised with each of these, so that what was read before is older.
PIPELINE = PARSE_VERSION + CHUNK_VERSION + EMBED_VERSION
#: The number of the pipeline that left no number in the record.
UNNUMBERED_PIPELINE = 3


@dataclass(frozen=True, slots=True)
class HowRead:
    """What read a file, why that was chosen, and the encoding of its text; empty and None where nothing is told.

    ``metadata`` is what the file says of itself.
    """

    parser: str = ""
    why: str = ""
    encoding: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)


#: Nothing is told.
UNKNOWN = HowRead()


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document was read; ``language`` is the one that its words were taken to be of.

    ``metadata`` is what the file says of itself; it is among the document's, where that says nothing else.
    """

    pipeline: int
    parser: str
    why: str
    language: str
    encoding: str | None
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_older(self) -> bool:
        """Whether the pipeline of today would read it in another way."""
        return self.pipeline < PIPELINE


def older_line(count: int) -> str:
    """Return what an operator is told of documents that an older pipeline read."""
    return (
        f"{count} document{' was' if count == 1 else 's were'} read by an older pipeline; "
        f"`atoll documents reprocess --all` reads {'it' if count == 1 else 'them'} again"
    )


#: The reading of a document whose record says nothing of it.
UNTOLD = Reading(UNNUMBERED_PIPELINE, "", "", "", None)
