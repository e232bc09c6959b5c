"""Send files to the gateway and see each through to its end, over rate limits and restarts of the gateway."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Protocol

from atoll.cli.client import Client, Interrupted, NotRunning, Problem, kb_path
from atoll.cli.render import failure
from atoll.cli.sources import CountedFile, Source
from atoll.errors import AtollError, BadInput

#: Uploads in flight; the gateway's own bound is over all its callers.
_CONCURRENT_UPLOADS = 4
#: How long the gateway may be away in one go: a restart takes seconds.
_OUTAGE_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_MAX_RETRY_SECONDS = 30.0
#: One look at a document each; together at most 600 requests a minute, half of what a key may make.
_LOOK_SECONDS = 0.1
_LOOKS_AT_ONCE = 5
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MISREAD = frozenset({"failed", "quarantined", "cancelled"})


class Ending(StrEnum):
    """What became of a file."""

    READY = "ready"
    ALREADY_THERE = "already there"
    ACCEPTED = "accepted"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one file; ``document`` is the API's, None when it was never accepted.

    ``applied`` is what changed about a document that was there already, None when it was not; ``namesakes`` are the
    documents of its name at other sources.
    """

    source: Source
    ending: Ending
    reason: str = ""
    document: Mapping[str, Any] | None = None
    applied: tuple[str, ...] | None = None
    namesakes: tuple[Mapping[str, Any], ...] = ()


class Watcher(Protocol):
    """Is told how files get on; `sent` comes from other threads."""

    def sent(self, source: Source, done_bytes: int, total_bytes: int) -> None:
        """So much of a file has been sent."""

    def worked(self, source: Source, document: Mapping[str, Any]) -> None:
        """A document stands like this."""


@dataclass(frozen=True, slots=True)
class _Accepted:
    source: Source
    document: Mapping[str, Any]
    applied: tuple[str, ...] | None
    namesakes: tuple[Mapping[str, Any], ...]

    def ended(self, ending: Ending, reason: str = "") -> Outcome:
        """Return the end of the file."""
        return Outcome(self.source, ending, reason, self.document, self.applied, self.namesakes)


class Uploads:
    """One `ingest`: a few uploads at a time, then a look at each document in turn until it is ready or failed."""

    def __init__(
        self,
        client: Client,
        kb: str,
        *,
        fields: Mapping[str, str],
        watcher: Watcher,
        timeout_seconds: float,
        wait: bool,
    ) -> None:
        self._client = client
        self._kb = kb
        self._fields = fields
        self._watcher = watcher
        self._timeout_seconds = timeout_seconds
        self._deadline = time.monotonic() + timeout_seconds
        self._wait = wait
        self._stop = threading.Event()
        self._full: str | None = None
        self._away_since: float | None = None
        #: Files that the gateway has taken so far, whatever became of them since.
        self.accepted = 0

    def run(self, sources: Sequence[Source]) -> Iterator[Outcome]:
        """Yield the end of each file as it comes."""
        waiting, watched = deque(sources), deque[_Accepted]()
        running: dict[Future[_Accepted], Source] = {}
        executor = ThreadPoolExecutor(_CONCURRENT_UPLOADS, thread_name_prefix="upload")
        try:
            while waiting or running or watched:
                while waiting and len(running) < _CONCURRENT_UPLOADS:
                    source = waiting.popleft()
                    running[executor.submit(self._send, source)] = source
                done, _ = wait(running, timeout=_LOOK_SECONDS if watched else 1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from self._sort(future, running.pop(future), watched)
                yield from self._look(watched)
                if time.monotonic() >= self._deadline:
                    yield from self._out_of_time(waiting, watched)
        finally:
            self._stop.set()
            executor.shutdown(wait=False, cancel_futures=True)

    def _sort(self, future: Future[_Accepted], source: Source, watched: deque[_Accepted]) -> Iterator[Outcome]:
        """Yield the end of a file that ends with its upload; put the others in line to be watched."""
        try:
            accepted = future.result()
        except Problem as problem:
            unsupported = problem.status_code == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
            yield Outcome(source, Ending.UNSUPPORTED if unsupported else Ending.FAILED, problem.message)
            return
        except AtollError as error:
            yield Outcome(source, Ending.FAILED, error.message)
            return
        ended = self._ended(accepted)
        if ended is not None:
            yield ended
        elif self._wait:
            watched.append(accepted)
        else:
            yield accepted.ended(Ending.ACCEPTED)

    def _send(self, source: Source) -> _Accepted:
        """Upload one file, as often as the gateway is busy or away: sent twice, it is still one document."""
        away_since: float | None = None
        while True:
            if self._full:
                raise BadInput(f"not sent: {self._full}")
            try:
                return self._upload(source)
            except Problem as problem:
                if problem.status_code == HTTPStatus.INSUFFICIENT_STORAGE:
                    self._full = problem.message
                if problem.status_code not in _BUSY:
                    raise
                away_since, pause = None, problem.retry_after_seconds
                self._pause(pause, problem)
            except (NotRunning, Interrupted) as error:
                away_since = away_since or time.monotonic()
                if time.monotonic() - away_since > _OUTAGE_SECONDS:
                    raise
                self._pause(None, error)

    def _pause(self, seconds: float | None, reason: AtollError) -> None:
        """Wait before another try; give up when time is out or the command is being stopped."""
        seconds = min(_MAX_RETRY_SECONDS, _RETRY_SECONDS if seconds is None else seconds)
        if time.monotonic() + seconds >= self._deadline or self._stop.wait(seconds):
            raise reason

    def _upload(self, source: Source) -> _Accepted:
        with CountedFile(source, lambda done_bytes: self._watcher.sent(source, done_bytes, total_bytes)) as file:
            total_bytes = file.size
            fields = {**self._fields, "source": source.folder} if source.folder else self._fields
            body = self._client.upload(
                kb_path(self._kb, "documents"), (source.name, file, "application/octet-stream"), fields
            )
        self.accepted += 1
        applied = [tuple(each["applied"]) for each in body["duplicates"]]
        return _Accepted(source, body["documents"][0], applied[0] if applied else None, tuple(body["namesakes"]))

    def _look(self, watched: deque[_Accepted]) -> Iterator[Outcome]:
        """Look at the next few documents in line; those that have not ended go to its back."""
        for _ in range(min(_LOOKS_AT_ONCE, len(watched))):
            accepted = watched.popleft()
            try:
                document = self._client.get(kb_path(self._kb, "documents", accepted.document["id"]))
                self._away_since = None
            except Problem as problem:
                if problem.status_code not in _BUSY:
                    yield accepted.ended(Ending.FAILED, problem.message)
                    continue
                watched.appendleft(accepted)
                self._stop.wait(min(_MAX_RETRY_SECONDS, problem.retry_after_seconds or _RETRY_SECONDS))
                return
            except (NotRunning, Interrupted):
                watched.appendleft(accepted)
                self._note_outage()
                return
            now = replace(accepted, document=document)
            ended = self._ended(now)
            if ended is not None:
                yield ended
            else:
                self._watcher.worked(now.source, document)
                watched.append(now)
            self._stop.wait(_LOOK_SECONDS)

    def _note_outage(self) -> None:
        """Wait a moment for the gateway.

        Raises:
            NotRunning: it has been away too long.
        """
        self._away_since = self._away_since or time.monotonic()
        if time.monotonic() - self._away_since > _OUTAGE_SECONDS:
            raise NotRunning(
                f"the gateway has been away for {_OUTAGE_SECONDS:.0f} s; what it accepted is safe: see `atoll status` "
                "and run this again"
            )
        self._stop.wait(_RETRY_SECONDS)

    def _ended(self, accepted: _Accepted) -> Outcome | None:
        document = accepted.document
        if document["status"] == "ready":
            return accepted.ended(Ending.READY if accepted.applied is None else Ending.ALREADY_THERE)
        if document["status"] in _MISREAD:
            return accepted.ended(Ending.FAILED, failure(document))
        return None

    def _out_of_time(self, waiting: deque[Source], watched: deque[_Accepted]) -> Iterator[Outcome]:
        within = f"within {self._timeout_seconds:.0f} s"
        while waiting:
            yield Outcome(waiting.popleft(), Ending.FAILED, f"not sent {within}; run this again")
        reason = f"not ready {within}; the work goes on: `atoll documents list`"
        while watched:
            yield watched.popleft().ended(Ending.FAILED, reason)
