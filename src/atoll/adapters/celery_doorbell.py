"""The doorbell on Celery: one task with a document's uid, acknowledged early, without results or retries."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from atoll.domain.ids import DocumentUid
from atoll.errors import DependencyDown

TASK = "ingest.advance"
QUEUE = "ingest"

_TIMEOUT_SECONDS = 3.0


def make_celery(url: str, password: str | None) -> Celery:
    """Return the Celery application that gateway and workers share.

    Every choice follows from "the ledger is the truth": nothing is kept in the broker that may not be lost.
    """
    app = Celery("atoll", broker=_with_password(url, password), set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=_TIMEOUT_SECONDS,
        broker_transport_options={
            "socket_timeout": _TIMEOUT_SECONDS * 2,
            "socket_connect_timeout": _TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "retry_on_timeout": True,
        },
        task_publish_retry=False,
    )
    return app


class CeleryDoorbell:
    """Port ``Doorbell``; blocking broker calls run on a thread."""

    def __init__(self, app: Celery, url: str, password: str | None) -> None:
        self._app = app
        self._redis = redis.Redis.from_url(
            _with_password(url, password), socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS
        )

    async def ring(self, documents: Sequence[DocumentUid]) -> None:
        """Ring once for each document."""
        await asyncio.to_thread(self._ring, documents)

    async def waiting(self) -> int:
        """Return the length of the queue."""
        return await asyncio.to_thread(self._waiting)

    def close(self) -> None:
        """Close the connections."""
        self._app.close()
        self._redis.close()

    def _ring(self, documents: Sequence[DocumentUid]) -> None:
        with _translate_errors(), self._app.producer_or_acquire() as producer:
            for document in documents:
                self._app.send_task(TASK, args=[document], producer=producer, retry=False)

    def _waiting(self) -> int:
        with _translate_errors():
            length = self._redis.llen(QUEUE)
            assert isinstance(length, int)
            return length


@contextmanager
def _translate_errors() -> Iterator[None]:
    try:
        yield
    except (OperationalError, redis.RedisError, OSError) as error:
        raise DependencyDown(f"the queue is away: {error}") from error


def _with_password(url: str, password: str | None) -> str:
    if password is None:
        return url
    scheme, rest = url.split("://", 1)
    user, _, server = rest.rpartition("@")
    return f"{scheme}://{user.partition(':')[0]}:{password}@{server}"
