"""Progress of an ingest on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from atoll.cli.progress import line
from atoll.cli.render import snippet
from atoll.cli.sources import Source
from atoll.cli.uploads import Outcome

_MAX_BARS = 8
_NAME_CHARACTERS = 48


class Bars:
    """For terminals: a bar over all, and one for each of the files that move, a few at a time."""

    def __init__(self, total: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[state]}"),
            MofNCompleteColumn() if total else TextColumn(""),
            TimeElapsedColumn(),
            console=Console(),
        )
        self._all = self._progress.add_task("all files", total=total, state="")
        self._bars: dict[Source, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            self._progress.remove_task(bar)
        self._progress.stop()

    def sent(self, source: Source, done_bytes: int, total_bytes: int) -> None:
        """Move the file's bar."""
        self._show(source, done_bytes, total_bytes, "sending")

    def worked(self, source: Source, document: Mapping[str, Any]) -> None:
        """Move the file's bar to where its stage stands."""
        stages = document["stages"]
        running = next((stage for stage in stages if stage["state"] == "running"), None)
        if running is not None:
            self._show(source, running["done"], running["total"], running["name"])
        else:
            done = sum(stage["state"] == "done" for stage in stages)
            self._show(source, done, len(stages), document["status"])

    def ended(self, outcome: Outcome) -> None:
        """Take the bar away and print the line above the bars."""
        bar = self._bars.pop(outcome.source, None)
        if bar is not None:
            self._progress.remove_task(bar)
        self._progress.advance(self._all)
        self._progress.console.print(escape(line(outcome)), highlight=False, soft_wrap=True)

    def _show(self, source: Source, done: int, total: int, state: str) -> None:
        bar = self._bars.get(source)
        if bar is None:
            if len(self._bars) >= _MAX_BARS:
                return
            name = escape(snippet(source.name, _NAME_CHARACTERS))
            bar = self._bars[source] = self._progress.add_task(name, total=total, state=state)
        self._progress.update(bar, completed=done, total=max(total, 1), state=state)
