"""Who asks which knowledge base what: letting a request in whose body names the knowledge base."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Coroutine, Hashable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from anyio import CancelScope
from fastapi import Depends
from starlette.requests import ClientDisconnect, Request

from atoll.access.admit import KbAccess
from atoll.domain.evidence import Filters, Mode
from atoll.domain.principal import Action, Principal
from atoll.query.service import QueryRequest, Turn
from gateway.auth import Authorized, authenticate
from gateway.openai import chores, models
from gateway.openai.messages import conversation
from gateway.openai.schemas import ChatIn, ResponsesIn
from gateway.runtime import Live, Runtime

T = TypeVar("T")

_TOP_K = 20
#: Questions that are remembered as counted, and how often each may come again as what an SDK calls a retry.
_MAX_REMEMBERED = 10_000
_MAX_RETRIES = 12
#: Of the time that a client says it waits, so much is used.
_USED_OF_PATIENCE = 0.8


async def known(request: Request, live: Live) -> Principal:
    """Return whose request this is, before its body is looked at. Raises NotAuthenticated."""
    return await authenticate(request, live)


Known = Annotated[Principal, Depends(known)]


class Counted:
    """Which questions were counted against a quota: one that an SDK asks again counts once."""

    def __init__(self) -> None:
        self._retries: OrderedDict[Hashable, int] = OrderedDict()

    def is_new(self, question: Hashable, retry: str) -> bool:
        """Whether to count a question; ``retry`` is the number that the client's SDK gives to the request."""
        left = self._retries.get(question, 0)
        if retry in {"", "0"} or not left:
            return True
        self._retries[question] = left - 1
        return False

    def note(self, question: Hashable) -> None:
        """Note that a question was counted."""
        self._retries[question] = _MAX_RETRIES
        self._retries.move_to_end(question)
        if len(self._retries) > _MAX_REMEMBERED:
            self._retries.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was let in. ``lasting`` holds what must last until the whole answer is out."""

    access: KbAccess
    question: QueryRequest
    lasting: AsyncExitStack


@dataclass(frozen=True, slots=True)
class AskedChat:
    """A conversation that was let in; ``asked`` is None for what a chat program asks by itself."""

    wanted: ChatIn
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class AskedResponse:
    """A conversation in the form of the API of responses that was let in."""

    wanted: ResponsesIn
    asked: Asked


@dataclass(frozen=True, slots=True)
class Wish:
    """What a body asks for, in whichever of the APIs."""

    model: str
    text: str
    history: tuple[Turn, ...]
    answer_tokens: int | None


class InModel(Authorized):
    """Lets in who may read the knowledge base that a model's name says."""

    def __init__(self) -> None:
        super().__init__(Action.READ)

    @asynccontextmanager
    async def _asked(self, wish: Wish, principal: Principal, request: Request, live: Runtime) -> AsyncIterator[Asked]:
        kb, mode = models.parsed(wish.model)
        counting = live.kept(Counted)
        question: Hashable = (principal.subject, wish)
        is_new = counting.is_new(question, request.headers.get("x-stainless-retry-count", ""))
        admitted = live.admission.admit_to(
            kb, principal, self.action, request_id=request.state.request_id, is_query=is_new
        )
        async with admitted as access, AsyncExitStack() as lasting:
            if is_new:
                counting.note(question)
            yield Asked(access, _query(wish, access, mode), lasting)


class InChat(InModel):
    """Lets in a conversation."""

    async def __call__(  # type: ignore[override]
        self, principal: Known, wanted: ChatIn, request: Request, live: Live
    ) -> AsyncIterator[AskedChat]:
        """Let the request in. Raises NotFound, BadInput, QuotaExceeded, Forbidden."""
        if chores.is_chore(wanted):
            kb, _ = models.parsed(wanted.model)
            async with live.admission.admit_to(kb, principal, self.action, request_id=request.state.request_id):
                yield AskedChat(wanted, None)
            return
        wanted.check()
        said = conversation(wanted.messages)
        wish = Wish(wanted.model, said.question, said.history, wanted.longest)
        async with self._asked(wish, principal, request, live) as asked:
            yield AskedChat(wanted, asked)


class InResponses(InModel):
    """Lets in a conversation in the form of the API of responses."""

    async def __call__(  # type: ignore[override]
        self, principal: Known, wanted: ResponsesIn, request: Request, live: Live
    ) -> AsyncIterator[AskedResponse]:
        """Let the request in. Raises NotFound, BadInput, QuotaExceeded, Forbidden."""
        wanted.check()
        said = conversation(wanted.messages(), "input")
        wish = Wish(wanted.model, said.question, said.history, wanted.max_output_tokens)
        async with self._asked(wish, principal, request, live) as asked:
            yield AskedResponse(wanted, asked)


def _query(wish: Wish, access: KbAccess, mode: Mode) -> QueryRequest:
    return QueryRequest(
        reader=access.reader,
        query=wish.text,
        mode=mode,
        top_k=_TOP_K,
        filters=Filters(),
        history=wish.history,
        answer_tokens=wish.answer_tokens,
    )


def patience(request: Request, live: Runtime) -> float:
    """Return the seconds that an answer which is not streamed may take: most of what the client's SDK says it waits."""
    limits = live.ports.limits
    try:
        announced = float(request.headers.get("x-stainless-read-timeout", ""))
    except ValueError:
        announced = 0.0
    if not 0 < announced < float("inf"):
        return min(limits.whole_answer_seconds, limits.answer_seconds)
    return min(announced * _USED_OF_PATIENCE, limits.answer_seconds)


async def unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what some work returns, and give it up when the client has gone. Raises ClientDisconnect then."""
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        with CancelScope(shield=True):
            for each in (working, gone):
                each.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await each


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
