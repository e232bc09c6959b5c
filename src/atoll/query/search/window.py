"""What every list of one search is narrowed to, and how long it is."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader
from atoll.ports.passages import SearchScope
from atoll.query.rank.fuse import DEPTH

#: Places kept for hidden points at first, and when the first lists ran short all the same.
HIDDEN_ROOM = 200
MAX_HIDDEN_ROOM = 4000
#: Most documents that a search excludes by name.
MAX_EXCLUDED = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """``room`` places are kept for points that will turn out to be invisible."""

    reader: Reader
    include: tuple[DocumentUid, ...] | None
    exclude: tuple[DocumentUid, ...]
    room: int

    @classmethod
    def first(cls, reader: Reader, scope: SearchScope) -> Window:
        """Return the window that a search starts with."""
        return cls(reader, scope.include, (), min(scope.hidden_points, HIDDEN_ROOM))

    @classmethod
    def wider(cls, reader: Reader, scope: SearchScope, hidden: frozenset[DocumentUid]) -> Window:
        """Return the window of a search that is made again; it looks past the documents that are ``hidden`` now."""
        exclude = tuple(sorted(hidden)[:MAX_EXCLUDED])
        return cls(reader, scope.include, exclude, min(scope.hidden_points, MAX_HIDDEN_ROOM))

    @property
    def limit(self) -> int:
        """Length of the lists to fetch."""
        return DEPTH + self.room
