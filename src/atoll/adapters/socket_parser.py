"""The parser role's client: files go over a unix socket as open descriptors, results come back in files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from atoll import errors
from atoll.adapters import parser_wire as wire
from atoll.domain.parsed import ParsedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from atoll.domain.page import Box, HeatMap

#: Error types that may come over the wire; anything else is taken as a parser that does not speak our language.
_ERRORS: dict[str, type[errors.AtollError]] = {
    error.__name__: error
    for error in (
        errors.BadInput,
        errors.UnsupportedMediaType,
        errors.DocumentTooLarge,
        errors.DocumentUnreadable,
        errors.DocumentEncrypted,
        errors.NotFound,
        errors.ParserDied,
        errors.DependencyDown,
    )
}


class SocketParser:
    """The `Parser` port over a unix socket; each call is one connection, and closing it stops the work."""

    def __init__(
        self, socket_path: Path, *, parse_timeout_seconds: float = 900.0, draw_timeout_seconds: float = 60.0
    ) -> None:
        self._socket_path = socket_path
        self._parse_timeout_seconds = parse_timeout_seconds
        self._draw_timeout_seconds = draw_timeout_seconds

    async def parse(
        self,
        *,
        source: BinaryIO,
        name: str,
        media_type: str,
        result: BinaryIO,
        rendition: BinaryIO,
        password: str | None = None,
    ) -> ParsedDocument:
        """See `atoll.ports.parser.Parser.parse`."""
        request: dict[str, Any] = {
            "operation": wire.Operation.PARSE,
            "name": _short(name),
            "media_type": media_type,
            "password": password,
        }
        descriptors = [file.fileno() for file in (source, result, rendition)]
        await self._ask(request, descriptors, self._parse_timeout_seconds)
        return await asyncio.to_thread(_read, result)

    async def draw(
        self, *, pdf: BinaryIO, page: int, dpi: int, marks: Sequence[Box] = (), heat: HeatMap | None = None
    ) -> bytes:
        """See `atoll.ports.parser.Parser.draw`."""
        places = max(len(marks), 0 if heat is None else len(heat.boxes))
        if places > wire.MAX_MARKS:
            raise errors.BadInput(f"a page takes at most {wire.MAX_MARKS} marks, not {places}")
        request = {
            "operation": wire.Operation.DRAW,
            "page": page,
            "dpi": dpi,
            "marks": [list(mark) for mark in marks],
            "heat": None if heat is None else wire.heat_out(heat),
        }
        with _memory_file("page.png") as image:
            await self._ask(request, [pdf.fileno(), image], self._draw_timeout_seconds)
            return await asyncio.to_thread(_read_all, image)

    async def ping(self) -> None:
        """Return when the parser answers.

        Raises:
            DependencyDown: it does not.
        """
        await self._ask({"operation": wire.Operation.PING}, [], timeout_seconds=5.0)

    async def _ask(self, request: dict[str, Any], descriptors: list[int], timeout_seconds: float) -> None:
        """Send a request and wait for the reply; leaving early in any way closes the socket, which stops the work."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.setblocking(False)
            try:
                async with asyncio.timeout(timeout_seconds):
                    await loop.sock_connect(connection, str(self._socket_path))
                    frame = wire.encode(request)
                    # A fresh socket takes the first part at once, and the descriptors travel with it.
                    sent = socket.send_fds(connection, [frame], descriptors)
                    if sent < len(frame):
                        await loop.sock_sendall(connection, frame[sent:])
                    length = wire.body_length(await _receive(loop, connection, wire.LENGTH_BYTES))
                    reply = wire.decode(await _receive(loop, connection, length))
            except TimeoutError as err:
                raise errors.DependencyDown(f"the parser did not answer within {timeout_seconds:.0f} s") from err
            except (OSError, wire.WireError) as err:
                raise errors.DependencyDown(f"the parser is away: {err}") from err
        if "error" in reply:
            _raise(reply["error"])


async def _receive(loop: asyncio.AbstractEventLoop, connection: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        piece = await loop.sock_recv(connection, count - len(received))
        if not piece:
            raise ConnectionResetError("it closed the connection without an answer")
        received += piece
    return bytes(received)


def _raise(error: dict[str, Any]) -> NoReturn:
    message = str(error.get("message", ""))
    kind = _ERRORS.get(str(error.get("type")), errors.DependencyDown)
    if issubclass(kind, errors.DocumentUnreadable):
        raise kind(message, page=error.get("page"))
    raise kind(message)


def _short(name: str) -> str:
    """The name without what JSON cannot carry, at a length that no file system exceeds."""
    return name.encode("utf-8", "replace").decode()[: wire.MAX_NAME_CHARACTERS]


@contextlib.contextmanager
def _memory_file(name: str) -> Iterator[int]:
    descriptor = os.memfd_create(name)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _read_all(descriptor: int) -> bytes:
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        return file.read()


def _read(result: BinaryIO) -> ParsedDocument:
    result.seek(0)
    try:
        return ParsedDocument.from_json(json.loads(result.read()))
    except ValueError as err:
        raise errors.ParserDied("the parser's result is malformed; report this document") from err
