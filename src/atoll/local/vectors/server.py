"""Running the vector server: one owner of a data directory behind one loopback port."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from atoll import collector
from atoll.errors import StartRefused
from atoll.local.vectors.app import VectorApi
from atoll.local.vectors.edge import EdgeEngine
from atoll.local.vectors.guard import LOOPBACK_NAMES, Guard
from atoll.local.vectors.lanes import EngineThread
from atoll.local.vectors.optimiser import Optimiser, OptimiserLimits
from atoll.local.vectors.store import Store

MAX_BODY_BYTES = 32 * 1024 * 1024  # Qdrant's own limit
MAX_REQUESTS = 128
_KEEP_ALIVE_SECONDS = 75  # longer than clients keep idle connections, so that it is they who close
_DRAIN_SECONDS = 15
_LOCK = "lock"


def serve(
    *,
    host: str,
    port: int,
    directory: Path,
    api_key: str,
    allowed_hosts: Sequence[str] = LOOPBACK_NAMES,
    limits: OptimiserLimits,
    max_body_bytes: int = MAX_BODY_BYTES,
    max_requests: int = MAX_REQUESTS,
) -> None:
    """Serve ``directory`` until SIGTERM or SIGINT, then finish what is under way, flush and return.

    Raises:
        StartRefused: the directory belongs to another live server, holds something unreadable, or the port is taken.
    """
    if not api_key:
        raise StartRefused("the vector server needs a key; name a file that holds one in ATOLL_VECTORS__API_KEY_FILE")
    with _only_server(directory), _listen(host, port) as listener:
        engine = EdgeEngine()
        store = Store(directory, engine)
        store.open()
        thread = EngineThread(max_requests)
        guard = Guard(api_key, allowed_hosts=allowed_hosts, max_body_bytes=max_body_bytes, max_requests=max_requests)
        api = VectorApi(store, thread, Optimiser(store, engine, thread, limits), guard)
        config = uvicorn.Config(
            api.app(),
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
        server = uvicorn.Server(config)
        # uvicorn raises the signal again once it has drained; without a handler of ours that would be the exit status.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(server, "should_exit", True))
        collector.settle()
        server.run(sockets=[listener])


@contextmanager
def _only_server(directory: Path) -> Iterator[None]:
    """Own the directory until this process ends, however it ends.

    Raises:
        StartRefused: another live server owns it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / _LOCK
    lock = FileLock(path, timeout=0, thread_local=False, fallback_to_soft=False)
    try:
        held = lock.acquire()
    except Timeout as error:
        owner = path.read_text(encoding="utf-8", errors="replace").strip()
        raise StartRefused(
            f"{directory} is in use by another vector server (pid {owner or 'unknown'}); stop it or set another folder"
        ) from error
    with held:
        path.write_text(str(os.getpid()), encoding="utf-8")  # in place: the lock is on this very file
        yield


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY only where the protocol is named; without it answers on kept connections wait 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(MAX_REQUESTS)
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"{host}:{port} cannot be listened on ({error.strerror}); set another port in ATOLL_VECTORS__PORT"
        ) from error
    return listener
