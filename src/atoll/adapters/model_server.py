"""What the clients of our model servers share: one request with bounded attempts, and its faults as our errors."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import orjson

from atoll.adapters.http_session import FAULTS, HttpSession, Reply
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid, ungrouped

#: Attempts when the connection breaks: a server that restarts resets connections which were kept open.
ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
_SHOWN_CHARACTERS = 200
#: Status -> a later attempt may succeed.
_AWAY = frozenset({401, 403, 408, 429, 502, 503, 504})
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
#: The server has no such route; for some callers that is an answer.
ABSENT = frozenset({404, 405, 501})
T = TypeVar("T")
R = TypeVar("R")


class ModelServer:
    """A client of one server, ``name`` in messages. Bound to the event loop that first uses it.

    ``url`` may end in ``/v1`` or not. Connections stay open until ``aclose``.
    """

    def __init__(
        self, name: str, *, url: str, token: str | None, timeout_seconds: float, max_connections: int = 100
    ) -> None:
        self._name = name
        self._url = url.rstrip("/").removesuffix("/v1")
        self._http = HttpSession(
            headers={"Authorization": f"Bearer {token}"} if token else None,
            timeout_seconds=timeout_seconds,
            max_connections=max_connections,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    @property
    def connections(self) -> int:
        """How many connections to the server were made."""
        return self._http.connections

    async def exchange(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Reply:
        """Send one request; the answer's status is 200, or one of ``ABSENT``, which the caller judges.

        Raises:
            DependencyDown: the server is away or overloaded; ``retry_after_seconds`` is what it asked for.
            BadInput: it refuses the request.
            ModelReplyInvalid: it failed in another way.
        """
        content = orjson.dumps(body) if body is not None else None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = await self._http.exchange(method, self._url + path, content)
            except TimeoutError as error:
                raise DependencyDown(f"the {self._name} did not answer {path} in time") from error
            except FAULTS as error:
                if attempt == ATTEMPTS:
                    raise DependencyDown(f"the {self._name} is away ({type(error).__name__})") from error
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            else:
                return self._checked(reply, path)
        raise AssertionError("the loop returns or raises")

    async def each(self, requests: Sequence[T], send: Callable[[T], Awaitable[R]], *, at_once: int) -> list[R]:
        """Return what ``send`` makes of each request, ``at_once`` at a time; the first failure cancels the rest."""
        turns = asyncio.Semaphore(at_once)

        async def in_turn(request: T) -> R:
            async with turns:
                return await send(request)

        with ungrouped():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(in_turn(request)) for request in requests]
        return [task.result() for task in tasks]

    def document(self, reply: Reply, path: str) -> Any:
        """Return the JSON document of the answer to ``path``.

        Raises:
            ModelReplyInvalid: it is none, or the server has no such route.
        """
        if reply.status != HTTPStatus.OK:
            raise ModelReplyInvalid(f"the {self._name} answered {reply.status} to {path}; check its address")
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError as error:
            raise ModelReplyInvalid(f"the answer to {path} is not JSON") from error

    def _checked(self, reply: Reply, path: str) -> Reply:
        if reply.status == HTTPStatus.OK or reply.status in ABSENT:
            return reply
        said = f"the {self._name} answered {reply.status} to {path}: {_message(reply)}"
        if reply.status in _AWAY:
            raise DependencyDown(said, _retry_after_seconds(reply))
        raise BadInput(said) if reply.status in _REFUSED else ModelReplyInvalid(said)


@contextmanager
def shape(path: str) -> Iterator[None]:
    """Turn what goes wrong while a reply is taken apart into ``ModelReplyInvalid``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, binascii.Error) as error:
        raise ModelReplyInvalid(f"the answer to {path} has another shape: {error!r}"[:_SHOWN_CHARACTERS]) from error


def _message(reply: Reply) -> str:
    """Return the error object's message; nothing else of a body that may repeat a text is kept."""
    try:
        return str(orjson.loads(reply.content)["error"]["message"])[:_SHOWN_CHARACTERS]
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _retry_after_seconds(reply: Reply) -> float:
    try:
        return max(0.0, float(reply.headers["retry-after"]))
    except (KeyError, ValueError):
        return 1.0
