"""Where the time of a request went."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Timings:
    """Adds up milliseconds by step; ``total`` runs from construction on."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self._steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the body; a step that comes again adds up."""
        began = perf_counter()
        try:
            yield
        finally:
            self.add(name, (perf_counter() - began) * 1000)

    def add(self, name: str, milliseconds: float) -> None:
        """Add to a step that was timed elsewhere."""
        self._steps[name] = self._steps.get(name, 0.0) + milliseconds

    def milliseconds(self) -> dict[str, float]:
        """Return the steps so far, and the total, to a hundredth."""
        total = (perf_counter() - self._began) * 1000
        return {name: round(value, 2) for name, value in {**self._steps, "total": total}.items()}
