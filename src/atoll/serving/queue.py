"""The bounded queue between request threads and model threads.

Requests become jobs, a job holds one entry an input, and model threads take batches of entries that may belong to
several jobs. Rules, each of them tested: a lane is full by tokens, not by count; queries go before documents, but
every ``QUERY_RUN`` query batches a waiting document gets its turn; the oldest job of a lane is always part of the
next batch; a job whose client went away is dropped before it costs anything.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from atoll.errors import AtollError, BadInput
from atoll.serving.batching import form_batch
from atoll.serving.errors import ClientGone, Overloaded, TookTooLong, Unready

P = TypeVar("P")
R = TypeVar("R")

#: Query batches in a row while documents wait.
QUERY_RUN = 4
#: Waiting entries that are looked at when a batch is formed.
WINDOW_ENTRIES = 512
#: A batch is not split over idle workers below this size; dispatch would cost more than it saves.
LEAST_SHARE_TOKENS = 192
#: Bounds of Retry-After.
LEAST_RETRY_SECONDS, MOST_RETRY_SECONDS = 1.0, 60.0
#: Assumed until the first batch was measured.
INITIAL_TOKENS_PER_SECOND = 5_000.0
#: Weight of the newest batch in the running mean of the pace.
PACE_WEIGHT = 0.2


class Lane(StrEnum):
    """Who waits for the answer: a person, or an ingest."""

    QUERY = "query"
    DOCUMENT = "document"


@dataclass(eq=False, slots=True)
class Entry(Generic[P, R]):
    """One input of a job: what the model needs, and its length."""

    job: Job[P, R]
    ordinal: int
    payload: P
    tokens: int


@dataclass(eq=False)
class Job(Generic[P, R]):
    """One request. ``waiting`` is sorted by length, the longest last; ``abandoned`` says that the client left."""

    lane: Lane
    arrived_seconds: float
    abandoned: Callable[[], bool]
    waiting: list[Entry[P, R]] = field(default_factory=list)
    results: dict[int, R] = field(default_factory=dict)
    unfinished: int = 0
    error: AtollError | None = None
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def waiting_tokens(self) -> int:
        """Tokens that no model thread has taken yet."""
        return sum(entry.tokens for entry in self.waiting)

    def outcome(self, timeout_seconds: float) -> list[R]:
        """Wait, then return one result an input in the order of the request, or raise what befell the job."""
        if not self.finished.wait(timeout_seconds):
            self.abandoned = lambda: True  # nobody waits any more: what is still queued is dropped
            raise TookTooLong(f"not finished within {timeout_seconds:g} s; send fewer texts at a time")
        if self.error is not None:
            raise self.error
        return [self.results[ordinal] for ordinal in range(len(self.results))]


@dataclass(frozen=True, slots=True)
class Batch(Generic[P, R]):
    """What one forward pass works on, longest input first."""

    lane: Lane
    entries: list[Entry[P, R]]

    @property
    def padded_tokens(self) -> int:
        """What the pass costs: every input padded to the longest."""
        return self.entries[0].tokens * len(self.entries)

    @property
    def jobs(self) -> list[Job[P, R]]:
        """The jobs that have an input in it."""
        return list(dict.fromkeys(entry.job for entry in self.entries))


class TokenQueue(Generic[P, R]):
    """Thread-safe. ``limits_tokens`` bounds what may wait in each lane; ``workers`` is the number of takers."""

    def __init__(
        self,
        *,
        limits_tokens: Mapping[Lane, int],
        batch_tokens: int,
        workers: int,
        clock: Callable[[], float],
        on_drop: Callable[[], None] = lambda: None,
    ) -> None:
        self._limits_tokens = limits_tokens
        self._batch_tokens = batch_tokens
        self._workers = workers
        self._clock = clock
        self._on_drop = on_drop
        self._lanes: dict[Lane, deque[Job[P, R]]] = {lane: deque() for lane in Lane}
        self._tokens: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self._running = 0
        self._query_run = 0
        self._tokens_per_second = INITIAL_TOKENS_PER_SECOND
        self._closed = False
        self._changed = threading.Condition()

    def waiting_tokens(self, lane: Lane) -> int:
        """Tokens that wait in ``lane``."""
        return self._tokens[lane]

    def submit(
        self, inputs: Sequence[tuple[P, int]], lane: Lane, *, abandoned: Callable[[], bool] = lambda: False
    ) -> Job[P, R]:
        """Queue one request: pairs of payload and length in tokens.

        Raises:
            BadInput: the request alone is more than the lane holds.
            Overloaded: the lane is full; says when to come back.
            Unready: the queue is closed.
        """
        tokens = sum(length for _, length in inputs)
        limit = self._limits_tokens[lane]
        if tokens > limit:
            raise BadInput(f"the request holds {tokens} tokens, the limit is {limit}; split it into smaller requests")
        job: Job[P, R] = Job(lane=lane, arrived_seconds=self._clock(), abandoned=abandoned, unfinished=len(inputs))
        job.waiting = [Entry(job, ordinal, payload, length) for ordinal, (payload, length) in enumerate(inputs)]
        job.waiting.sort(key=lambda entry: entry.tokens)
        with self._changed:
            if self._closed:
                raise Unready("the server is draining; send the request again")
            if self._tokens[lane] + tokens > limit:
                self._drop_abandoned(lane)
            if self._tokens[lane] + tokens > limit:
                raise Overloaded(
                    f"{self._tokens[lane]} tokens are waiting, the limit is {limit}", self.retry_after_seconds(lane)
                )
            self._lanes[lane].append(job)
            self._tokens[lane] += tokens
            self._changed.notify_all()
        return job

    def retry_after_seconds(self, lane: Lane) -> float:
        """Return about how long the model needs for half of what waits."""
        seconds = self._tokens[lane] / 2 / self._tokens_per_second
        return min(MOST_RETRY_SECONDS, max(LEAST_RETRY_SECONDS, seconds))

    def take(self) -> Batch[P, R] | None:
        """Wait for a batch; ``None`` once the queue is closed and empty."""
        with self._changed:
            while True:
                batch = self._next_batch()
                if batch is not None or self._closed:
                    return batch
                self._changed.wait()

    def poll(self) -> Batch[P, R] | None:
        """Return a batch if one can be formed now."""
        with self._changed:
            return self._next_batch()

    def complete(self, batch: Batch[P, R], results: Sequence[R], *, seconds: float) -> None:
        """Hand in one result an entry; a job is finished with its last one."""
        with self._changed:
            self._running -= 1
            pace = self._workers * batch.padded_tokens / max(seconds, 1e-6)
            self._tokens_per_second += PACE_WEIGHT * (pace - self._tokens_per_second)
        for entry, result in zip(batch.entries, results, strict=True):
            entry.job.results[entry.ordinal] = result
        for job, count in _counts(batch):
            with self._changed:
                job.unfinished -= count
                done = job.unfinished == 0
            if done:
                job.finished.set()

    def fail(self, batch: Batch[P, R], error: AtollError) -> None:
        """End every job that has an entry in the batch; other jobs are not touched."""
        with self._changed:
            self._running -= 1
            for job in batch.jobs:
                self._end(job, error)

    def close(self) -> None:
        """Take no more jobs; what waits is still worked off."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next_batch(self) -> Batch[P, R] | None:
        """Form a batch of the lane whose turn it is, or return ``None`` if nothing waits."""
        for lane in Lane:
            self._drop_abandoned(lane)
        turn = self._next_lane()
        if turn is None:
            return None
        return self._form(turn)

    def _form(self, lane: Lane) -> Batch[P, R]:
        """Take the lane's next batch; what waits is shared out over the workers that are free."""
        free_workers = max(1, self._workers - self._running)
        share = max(LEAST_SHARE_TOKENS, -(-self._tokens[lane] // free_workers))
        oldest, *others = self._window(lane)
        entries = form_batch(oldest, others, budget_tokens=min(self._batch_tokens, share))
        taken = set(entries)
        for job in dict.fromkeys(entry.job for entry in entries):
            job.waiting = [entry for entry in job.waiting if entry not in taken]
        self._lanes[lane] = deque(job for job in self._lanes[lane] if job.waiting)
        self._tokens[lane] -= sum(entry.tokens for entry in entries)
        self._running += 1
        self._query_run = self._query_run + 1 if lane is Lane.QUERY else 0
        return Batch(lane, entries)

    def _next_lane(self) -> Lane | None:
        query, document = bool(self._lanes[Lane.QUERY]), bool(self._lanes[Lane.DOCUMENT])
        if query and not (document and self._query_run >= QUERY_RUN):
            return Lane.QUERY
        return Lane.DOCUMENT if document else None

    def _window(self, lane: Lane) -> list[Entry[P, R]]:
        """Return waiting entries, the oldest job's longest first."""
        entries: list[Entry[P, R]] = []
        for job in self._lanes[lane]:
            entries.extend(reversed(job.waiting))
            if len(entries) >= WINDOW_ENTRIES:
                break
        return entries[:WINDOW_ENTRIES]

    def _drop_abandoned(self, lane: Lane) -> None:
        """End the jobs whose client left, wherever they stand: each holds a request thread that others may need."""
        for job in list(self._lanes[lane]):
            if job.abandoned():
                self._end(job, ClientGone("the client closed the connection"))
                self._on_drop()

    def _end(self, job: Job[P, R], error: AtollError) -> None:
        if job.waiting:
            self._tokens[job.lane] -= job.waiting_tokens
            job.waiting = []
            self._lanes[job.lane].remove(job)
        job.error = error
        job.finished.set()


def _counts(batch: Batch[P, R]) -> Iterator[tuple[Job[P, R], int]]:
    counts: dict[Job[P, R], int] = {}
    for entry in batch.entries:
        counts[entry.job] = counts.get(entry.job, 0) + 1
    yield from counts.items()
