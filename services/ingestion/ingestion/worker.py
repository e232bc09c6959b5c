"""A Celery worker whose task threads hand documents to one asyncio loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import warnings
from collections.abc import Coroutine
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, TypeVar

from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_shutting_down

from atoll.adapters.celery_doorbell import QUEUE, TASK
from atoll.bootstrap.worker import Ingestion
from atoll.domain.ids import DocumentUid
from atoll.ingest.reconcile import reconcile

T = TypeVar("T")

logger = logging.getLogger(__name__)

_STOP_SECONDS = 10.0
_HEARTBEAT_SECONDS = 5.0


class Worker:
    """Runs the pipeline on a loop of its own thread; Celery's threads wait for its results.

    Everything asynchronous lives on that one loop, so that clients stay open between tasks; the number of Celery
    threads bounds how many documents are worked on at a time.
    """

    def __init__(
        self, ingestion: Ingestion, *, threads: int, reconcile_seconds: float, heartbeat_file: Path | None = None
    ) -> None:
        self._ingestion = ingestion
        self._threads = threads
        self._reconcile_seconds = reconcile_seconds
        self._heartbeat_file = heartbeat_file
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ingest-loop", daemon=True)

    def run(self) -> None:
        """Work until SIGTERM."""
        app = self._ingestion.celery
        app.task(name=TASK, ignore_result=True)(self._advance)
        worker_shutting_down.connect(self._stop_work)
        setup_logging.connect(_keep_logging)
        self._thread.start()
        self._submit(self._ingestion.prepare()).result()
        self._submit(
            reconcile(
                self._ingestion.reconciliation,
                self._ingestion.doorbell,
                owner=self._ingestion.owner,
                every_seconds=self._reconcile_seconds,
                watch=self._ingestion.watch,
            )
        )
        if self._heartbeat_file is not None:
            self._submit(_beat(self._heartbeat_file))
        try:
            _serve(app, self._threads)
        finally:
            self._stop_work()
            self._submit(self._ingestion.close()).result(_STOP_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STOP_SECONDS)

    def _advance(self, document: str) -> None:
        try:
            self._submit(self._ingestion.pipeline.advance(DocumentUid(document))).result()
        except CancelledError:
            logger.info("stopped while working on document %s", document)

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _stop_work(self, **_: object) -> None:
        """Cancel what runs: stages give their claims back, so that nobody waits for leases."""

        def cancel() -> None:
            for task in asyncio.all_tasks(self._loop):
                task.cancel()

        if self._loop.is_running():
            self._loop.call_soon_threadsafe(cancel)


async def _beat(file: Path) -> None:
    """Show, for as long as the loop that does the work turns, that it does."""
    while True:
        with contextlib.suppress(OSError):  # a full disk; the next time may be luckier
            await asyncio.to_thread(file.touch)
        await asyncio.sleep(_HEARTBEAT_SECONDS)


def _keep_logging(**_: object) -> None:
    """Leave logging as the composition root set it up, less Celery's lines about each ring."""
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _serve(app: Celery, threads: int) -> None:
    # It warns root of messages that are unpickled; ours are JSON alone.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    app.worker_main(
        [
            "--quiet",  # its banner is for terminals
            "worker",
            "--pool=threads",
            f"--concurrency={threads}",
            f"--queues={QUEUE}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ]
    )
