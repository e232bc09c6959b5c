"""The parser role's client: files go over a unix socket as open descriptors, results come back in files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from typing import TYPE_CHECKING, Any, NoReturn

from atoll import errors, files
from atoll.adapters import parser_wire as wire
from atoll.domain.page import ParsedDocument

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

    async def parse(self, *, source: Path, name: str, media_type: str, result: Path, rendition: Path) -> ParsedDocument:
        """See `atoll.ports.parser.Parser.parse`."""
        request = {"operation": wire.Operation.PARSE, "name": _short(name), "media_type": media_type}
        for path in (result, rendition):  # a parse that is still running elsewhere has lost its lease
            files.sweep_drafts(path)
        with files.draft(result) as result_part, files.draft(rendition) as rendition_part:
            with _opened(source, result_part, rendition_part) as descriptors:
                await self._ask(request, descriptors, self._parse_timeout_seconds)
            return await asyncio.to_thread(_keep, (result_part, result), (rendition_part, rendition))

    async def draw(
        self, *, pdf: Path, page: int, dpi: int, marks: Sequence[Box] = (), heat: HeatMap | None = None
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
        with _opened(pdf) as descriptors, _memory_file("page.png") as image:
            await self._ask(request, [*descriptors, image], self._draw_timeout_seconds)
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
def _opened(source: Path, *targets: Path) -> Iterator[list[int]]:
    with contextlib.ExitStack() as stack:
        descriptors = [os.open(source, os.O_RDONLY | os.O_CLOEXEC)]
        stack.callback(os.close, descriptors[0])
        for target in targets:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, descriptor)
            descriptors.append(descriptor)
        yield descriptors


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


def _keep(result: tuple[Path, Path], rendition: tuple[Path, Path]) -> ParsedDocument:
    """Move both files into place, on disk before their names are, the result last: it vouches for the other."""
    try:
        document = ParsedDocument.from_json(json.loads(result[0].read_bytes()))
    except FileNotFoundError as err:
        raise errors.DependencyDown("another attempt at this document has taken over") from err
    except ValueError as err:
        raise errors.ParserDied("the parser's result is malformed; report this document") from err
    kept = [pair for pair in (rendition, result) if pair[0].stat().st_size]
    if rendition not in kept:
        rendition[1].unlink(missing_ok=True)
    for part, path in kept:
        files.keep(part, path)
    return document
