"""Whether a role answers: one short question in the role's own protocol, bounded in time."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from atoll.local.ports import LOOPBACK

#: Answers True or False within a few seconds; never raises.
Probe = Callable[[], bool]

_TIMEOUT_SECONDS = 3.0
_MAX_REPLY_BYTES = 64 * 1024


def http_ok(url: str, headers: Callable[[], Mapping[str, str]] = dict) -> Probe:
    """Probe a GET that must answer 200; ``headers`` is asked each time, because credentials live in files."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port

    def probe() -> bool:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("GET", parts.path or "/", headers=dict(headers()))
            response = connection.getresponse()
            response.read(_MAX_REPLY_BYTES)
        except (OSError, http.client.HTTPException):
            return False
        else:
            return response.status == http.HTTPStatus.OK
        finally:
            connection.close()

    return probe


def unix_socket(path: Path) -> Probe:
    """Probe that somebody accepts connections on a unix socket."""

    def probe() -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_TIMEOUT_SECONDS)
            try:
                connection.connect(str(path))
            except OSError:
                return False
        return True

    return probe


def redis_ping(port: int, password_file: Path) -> Probe:
    """Probe AUTH and PING in the Redis protocol."""
    return _redis(port, password_file, ("PING",), lambda reply: b"+PONG" in reply)


def redis_consumer(port: int, password_file: Path) -> Probe:
    """Probe that somebody listens for doorbells: a worker has no port of its own, but the broker knows its wait."""
    return _redis(port, password_file, ("CLIENT", "LIST"), lambda reply: b" cmd=brpop " in reply)


def running() -> bool:
    """Answer for roles that nobody can ask: being alive is all that can be seen from outside."""
    return True


def _redis(port: int, password_file: Path, command: tuple[str, ...], is_right: Callable[[bytes], bool]) -> Probe:
    def probe() -> bool:
        try:
            return is_right(_replies(port, [("AUTH", password_file.read_text().strip()), command, ("QUIT",)]))
        except OSError:
            return False

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
