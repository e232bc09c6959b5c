"""What a model server tells Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_TOKENS = (16, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


class Phase(StrEnum):
    """Where a request's time goes."""

    PREPARE = "prepare"
    QUEUE = "queue"
    RUN = "run"
    FINISH = "finish"


class Metrics:
    """One registry a server, so that two servers in one process do not meet."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        self._phases = Histogram(
            "atoll_model_phase_seconds",
            "Seconds of each phase: prepare, queue and finish a request, run a batch.",
            ["phase"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batch_items = Histogram(
            "atoll_model_batch_items", "Inputs in a batch.", buckets=_ITEMS, registry=self._registry
        )
        self._batch_tokens = Histogram(
            "atoll_model_batch_tokens", "Tokens in a batch, padding included.", buckets=_TOKENS, registry=self._registry
        )
        self._failures = Counter(
            "atoll_model_failures", "Requests that were not answered as asked.", ["reason"], registry=self._registry
        )
        self._requests = Counter(
            "atoll_model_requests", "Requests by route and status.", ["route", "status"], registry=self._registry
        )
        self._ready = Gauge("atoll_model_ready", "1 when requests are taken.", registry=self._registry)
        self._queue_tokens = Gauge(
            "atoll_model_queue_tokens", "Tokens that wait, by lane.", ["lane"], registry=self._registry
        )

    @contextmanager
    def timed(self, phase: Phase) -> Iterator[None]:
        """Measure a block."""
        started = self._clock()
        try:
            yield
        finally:
            self._phases.labels(phase.value).observe(self._clock() - started)

    def observe(self, phase: Phase, seconds: float) -> None:
        """Note the length of one phase."""
        self._phases.labels(phase.value).observe(seconds)

    def batch(self, *, items: int, tokens: int) -> None:
        """Note the size of one batch."""
        self._batch_items.observe(items)
        self._batch_tokens.observe(tokens)

    def failure(self, reason: str) -> None:
        """Count one refused, dropped or failed request under the error table's reason."""
        self._failures.labels(reason).inc()

    def request(self, *, route: str, status: int) -> None:
        """Count one answered request."""
        self._requests.labels(route, str(status)).inc()

    def watch_queue(self, lane: str, waiting_tokens: Callable[[], float]) -> None:
        """Read a lane's depth whenever the metrics are asked for."""
        self._queue_tokens.labels(lane).set_function(waiting_tokens)

    def watch_ready(self, ready: Callable[[], bool]) -> None:
        """Read readiness whenever the metrics are asked for."""
        self._ready.set_function(lambda: float(ready()))

    def render(self) -> bytes:
        """Return the exposition text."""
        return generate_latest(self._registry)
