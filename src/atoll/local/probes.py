"""Whether a role answers: one short question in the role's own protocol, bounded in time."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from urllib.parse import urlsplit

from atoll.adapters import parser_wire
from atoll.local.ports import LOOPBACK


class Answer(Enum):
    """What a role says when it is asked."""

    READY = "ready"
    NOT_READY = "not ready"  # it lives and says that it cannot work now
    NONE = "none"


#: Answers within a few seconds; never raises.
Probe = Callable[[], Answer]

_TIMEOUT_SECONDS = 3.0
_MAX_REPLY_BYTES = 64 * 1024
#: A worker shows every five seconds that it lives.
_BEAT_SECONDS = 15.0


def http_answer(url: str, headers: Callable[[], Mapping[str, str]] = dict) -> Probe:
    """Probe with a GET: 200 is ready. ``headers`` is asked each time, because credentials live in files."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port

    def probe() -> Answer:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", parts.path or "/", headers=dict(headers()))
            response = connection.getresponse()
            response.read(_MAX_REPLY_BYTES)
        except (OSError, http.client.HTTPException):
            return Answer.NONE
        else:
            return Answer.READY if response.status == http.HTTPStatus.OK else Answer.NOT_READY
        finally:
            connection.close()

    return probe


def parser_ping(path: Path) -> Probe:
    """Probe the parser on its socket: the kernel takes connections for a process that is stopped, so it must speak."""

    def probe() -> Answer:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            try:
                connection.connect(str(path))
                connection.sendall(parser_wire.encode({"operation": parser_wire.Operation.PING}))
                return Answer.READY if connection.recv(parser_wire.LENGTH_BYTES) else Answer.NONE
            except OSError:
                return Answer.NONE

    return probe


def heartbeat(path: Path, working: Probe | None) -> Probe:
    """Probe a role without a port by the file that it touches; ``working``, if given, tells whether it is ready.

    A file that is not there yet says nothing: the role starts, or the disk is full.
    """

    def probe() -> Answer:
        try:
            # The file's own clock; a role that touched it in what seems to be the future lives as well.
            if time.time() - path.stat().st_mtime > _BEAT_SECONDS:
                return Answer.NONE
        except OSError:
            if working is None:
                return Answer.NOT_READY
        ready = Answer.READY if working is None else working()
        return Answer.READY if ready is Answer.READY else Answer.NOT_READY

    return probe


def redis_ping(port: int, password_file: Path) -> Probe:
    """Probe AUTH and PING in the Redis protocol."""
    return _redis(port, password_file, ("PING",), lambda reply: b"+PONG" in reply)


def redis_consumer(port: int, password_file: Path) -> Probe:
    """Probe that somebody listens for doorbells: a worker has no port of its own, but the broker knows its wait."""
    return _redis(port, password_file, ("CLIENT", "LIST"), lambda reply: b" cmd=brpop " in reply)


def _redis(port: int, password_file: Path, command: tuple[str, ...], is_right: Callable[[bytes], bool]) -> Probe:
    def probe() -> Answer:
        try:
            replies = _replies(port, [("AUTH", password_file.read_text().strip()), command, ("QUIT",)])
        except OSError:
            return Answer.NONE
        return Answer.READY if is_right(replies) else Answer.NOT_READY

    return probe


def _replies(port: int, commands: list[tuple[str, ...]]) -> bytes:
    """Send commands, QUIT last, and return all that is answered before the server hangs up."""
    with socket.create_connection((LOOPBACK, port), timeout=_TIMEOUT_SECONDS) as connection:
        for words in commands:
            encoded = [word.encode() for word in words]
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
            connection.sendall(b"*%d\r\n%s" % (len(encoded), parts))
        reply = b""
        while len(reply) < _MAX_REPLY_BYTES and (received := connection.recv(4096)):
            reply += received
    return reply
