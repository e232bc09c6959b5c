"""Prometheus figures of this process."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from atoll.errors import AtollError
from gateway.dependencies import Gauges

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240)


class Metrics:
    """Figures of one application; each has its own registry, so that two in one process do not mix."""

    def __init__(self, gauges: Sequence[Gauges] = ()) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Histogram(
            "atoll_gateway_request_seconds",
            "Requests by route template and status.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._documents = Counter(
            "atoll_gateway_uploaded_documents", "Documents that uploads brought.", ["result"], registry=self._registry
        )
        self._bytes = Counter("atoll_gateway_uploaded_bytes", "Bytes of accepted documents.", registry=self._registry)
        self.subscribers = Gauge("atoll_gateway_event_subscribers", "Open event streams.", registry=self._registry)
        self._gauges = [
            (each, Gauge(each.name, each.description, [each.label], registry=self._registry)) for each in gauges
        ]

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note a finished request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def uploaded(self, *, new: int, duplicates: int, size: int) -> None:
        """Note an accepted upload."""
        self._documents.labels("accepted").inc(new)
        self._documents.labels("duplicate").inc(duplicates)
        self._bytes.inc(size)

    async def render(self) -> bytes:
        """Return the exposition text; figures of something that is away are left out."""
        for source, gauge in self._gauges:
            gauge.clear()
            try:
                values = await source.read()
            except AtollError:
                continue
            for label, value in values.items():
                gauge.labels(label).set(value)
        return generate_latest(self._registry)
