"""Progress of an ingest: bars on a terminal, one plain line a file otherwise.

What draws bars stands in a module of its own: an image without a terminal goes without it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import click

from atoll.cli.render import plain
from atoll.cli.sources import Source
from atoll.cli.uploads import Outcome
from atoll.cli.warned import warned


class Board(Protocol):
    """A `Watcher` that shows what it is told and the end of each file."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def sent(self, source: Source, done_bytes: int, total_bytes: int) -> None:
        """So much of a file has been sent; may come from any thread."""

    def worked(self, source: Source, document: Mapping[str, Any]) -> None:
        """A document stands like this."""

    def ended(self, outcome: Outcome) -> None:
        """A file has come to its end."""


def board(total: int) -> Board:
    """Return the board for this output."""
    if not sys.stdout.isatty():
        return Lines()
    from atoll.cli.bars import Bars

    return Bars(total)


def line(outcome: Outcome) -> str:
    """Return the one line that tells the end of a file."""
    reason = f": {plain(outcome.reason)}" if outcome.reason else ""
    notice = warned(outcome.document) if outcome.document is not None and not reason else ""
    return f"{outcome.ending:<13} {plain(str(outcome.source.path))}{reason or (f': {notice}' if notice else '')}"


class Silence:
    """For output that a program reads."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def sent(self, source: Source, done_bytes: int, total_bytes: int) -> None:
        """Say nothing."""

    def worked(self, source: Source, document: Mapping[str, Any]) -> None:
        """Say nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Say nothing."""


class Lines(Silence):
    """For pipes and logs: the end of each file."""

    def ended(self, outcome: Outcome) -> None:
        """Print the line."""
        click.echo(line(outcome))
