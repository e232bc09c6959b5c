"""What the clients of our model servers share: one request with bounded attempts, and its faults as our errors."""

from __future__ import annotations

import asyncio
import binascii
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson

from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid, ungrouped

#: Attempts when the connection breaks: a server that restarts resets connections which were kept open.
ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
_CONNECT_SECONDS = 5.0
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
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=max_connections),
            trust_env=False,  # no proxy stands between two processes of one installation
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def exchange(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        """Send one request; the answer's status is 200, or one of ``ABSENT``, which the caller judges.

        Raises:
            DependencyDown: the server is away or overloaded; ``retry_after_seconds`` is what it asked for.
            BadInput: it refuses the request.
            ModelReplyInvalid: it failed in another way.
        """
        content = orjson.dumps(body) if body is not None else None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = await self._client.request(method, path, content=content)
            except httpx.TimeoutException as error:
                raise DependencyDown(f"the {self._name} did not answer {path} in time") from error
            except httpx.TransportError as error:
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

        # Whoever cancels a search may do so again and again until it ends. A task group passes on the first time only:
        # a second would break off the closing of a connection, which the pool then never gets back.
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(in_turn(request)) for request in requests]
        return [task.result() for task in tasks]

    def document(self, reply: httpx.Response) -> Any:
        """Return the JSON document of an answer.

        Raises:
            ModelReplyInvalid: it is none, or the server has no such route.
        """
        path = reply.request.url.path
        if reply.status_code != HTTPStatus.OK:
            raise ModelReplyInvalid(f"the {self._name} answered {reply.status_code} to {path}; check its address")
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError as error:
            raise ModelReplyInvalid(f"the answer to {path} is not JSON") from error

    def _checked(self, reply: httpx.Response, path: str) -> httpx.Response:
        if reply.status_code == HTTPStatus.OK or reply.status_code in ABSENT:
            return reply
        said = f"the {self._name} answered {reply.status_code} to {path}: {_message(reply)}"
        if reply.status_code in _AWAY:
            raise DependencyDown(said, _retry_after_seconds(reply))
        raise BadInput(said) if reply.status_code in _REFUSED else ModelReplyInvalid(said)


@contextmanager
def shape(path: str) -> Iterator[None]:
    """Turn what goes wrong while a reply is taken apart into ``ModelReplyInvalid``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, binascii.Error) as error:
        raise ModelReplyInvalid(f"the answer to {path} has another shape: {error!r}"[:_SHOWN_CHARACTERS]) from error


def _message(reply: httpx.Response) -> str:
    """Return the error object's message; nothing else of a body that may repeat a text is kept."""
    try:
        return str(reply.json()["error"]["message"])[:_SHOWN_CHARACTERS]
    except (ValueError, KeyError, TypeError):
        return reply.reason_phrase


def _retry_after_seconds(reply: httpx.Response) -> float:
    try:
        return max(0.0, float(reply.headers["Retry-After"]))
    except (KeyError, ValueError):
        return 1.0
