"""Model threads: take a batch, run it, hand the results in."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from atoll.errors import AtollError
from atoll.serving.errors import ModelFailed
from atoll.serving.metrics import Metrics, Phase
from atoll.serving.queue import Batch, TokenQueue

P = TypeVar("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)


class Runner(Generic[P, R]):
    """Runs a queue's batches on ``workers`` threads.

    ``run`` is the forward pass: payloads, longest first, to one result each. Everything else about a request
    (reading, tokenising, writing) happens on the request's own thread, beside it.
    """

    def __init__(
        self,
        *,
        queue: TokenQueue[P, R],
        run: Callable[[Sequence[P]], Sequence[R]],
        workers: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._run = run
        self._metrics = metrics
        self._clock = clock
        self._threads = [
            threading.Thread(target=self._work, name=f"model-{number}", daemon=True) for number in range(workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_seconds: float) -> bool:
        """Close the queue, work off what waits and end the threads; ``False`` if that took too long."""
        self._queue.close()
        until = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def step(self, batch: Batch[P, R]) -> None:
        """Run one batch and settle its jobs."""
        started = self._clock()
        for job in batch.jobs:
            self._metrics.observe(Phase.QUEUE, started - job.arrived_seconds)
        self._metrics.batch(items=len(batch.entries), tokens=batch.padded_tokens)
        try:
            results = self._run([entry.payload for entry in batch.entries])
            if len(results) != len(batch.entries):
                raise ModelFailed(f"the model gave {len(results)} results for {len(batch.entries)} inputs")  # noqa: TRY301
        except AtollError as error:
            self._queue.fail(batch, error)
            return
        # The outermost boundary of a model thread: whatever a model raises ends the jobs of its batch, not the thread.
        except Exception as error:  # noqa: BLE001
            _log.exception("a batch of %d inputs failed", len(batch.entries))
            self._queue.fail(batch, ModelFailed(f"the forward pass failed ({type(error).__name__}); see the log"))
            return
        seconds = self._clock() - started
        self._metrics.observe(Phase.RUN, seconds)
        self._queue.complete(batch, results, seconds=seconds)

    def _work(self) -> None:
        while (batch := self._queue.take()) is not None:
            self.step(batch)


def by_kind(runs: Mapping[type, Callable[[Sequence[Any]], Sequence[R]]]) -> Callable[[Sequence[Any]], Sequence[R]]:
    """Return one forward pass out of several models': each payload goes to the model of its type.

    Models that share a queue share its lanes and limits and the cores; a batch that holds several kinds is run one
    kind after the other.
    """

    def run(payloads: Sequence[Any]) -> Sequence[R]:
        results: dict[int, R] = {}
        for kind, model in runs.items():
            own = [ordinal for ordinal, payload in enumerate(payloads) if isinstance(payload, kind)]
            if own:
                results.update(zip(own, model([payloads[ordinal] for ordinal in own]), strict=True))
        return [results[ordinal] for ordinal in range(len(payloads))]

    return run
