"""Any chat server that speaks OpenAI's ``/v1/chat/completions``: llama.cpp, vLLM and their like."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any

import aiohttp

from atoll.adapters.http_session import FAULTS, HttpSession, hung_up
from atoll.adapters.thoughts import Thoughts, without_thoughts
from atoll.errors import AtollError, DependencyDown, ModelReplyInvalid
from atoll.ports.chat import ChatCut, ChatMessage, ChatPiece, ChatUsage

_TOKENIZE_SECONDS = 5.0
#: After a server could not count, how long estimates are used before it is asked again.
_ESTIMATE_SECONDS = 60.0
#: A streamed token with its JSON around it is far below this; more is not an answer to what was asked.
_BYTES_PER_TOKEN = 4096
_LEAST_BYTES = 1 << 16
_MAX_COUNT_BYTES = 1 << 24
#: Times that a request is sent when the server hangs up before it answers: llama.cpp closes kept connections.
_ATTEMPTS = 2
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
_SHOWN_CHARACTERS = 200
_END = "[DONE]"


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer; ``cut`` says that it ended because it was as long as it may be."""

    text: str
    cut: bool
    usage: ChatUsage | None


class OpenAIChat:
    """Implements ``Chat``. Bound to the event loop that first uses it.

    ``url`` goes up to and including ``/v1``. ``timeout_seconds`` bounds a whole answer. No tools are ever offered.
    """

    def __init__(self, *, url: str, model: str, api_key: str | None = None, timeout_seconds: float = 240.0) -> None:
        self._url = url.rstrip("/")
        self._model = model
        self._timeout_seconds = timeout_seconds
        self._counting: str | None = None
        self._estimate_until = 0.0
        self._http = HttpSession(
            headers={"Authorization": f"Bearer {api_key}"} if api_key else None,
            timeout_seconds=timeout_seconds,
            kept=False,  # a connection that carried a stream is closed by some servers just when it is used again
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> AsyncGenerator[ChatPiece, None]:
        """See ``atoll.ports.chat.Chat``."""
        body = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        deadline = monotonic() + self._timeout_seconds
        thoughts = Thoughts()
        try:
            response = await self._opened(body, deadline)
            try:
                async with aclosing(
                    _events(response, deadline, _LEAST_BYTES + max_tokens * _BYTES_PER_TOKEN)
                ) as events:
                    async for event in events:
                        for piece in _pieces(event):
                            said = thoughts.without(piece) if isinstance(piece, str) else piece
                            if said:
                                yield said
                if rest := thoughts.rest():
                    yield rest
            finally:
                response.close()
        except FAULTS as error:
            raise _translated(error, self._url) from error

    async def complete(
        self, messages: Sequence[ChatMessage], *, max_tokens: int, response_format: dict[str, Any]
    ) -> Completion:
        """Return a whole answer of the given form (``response_format`` as OpenAI has it).

        Raises:
            DependencyDown: the server is away, overloaded or too slow.
            ModelReplyInvalid: the server refuses the request, or its answer is no chat completion.
        """
        body = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": 0,
            "response_format": response_format,
        }
        deadline = monotonic() + self._timeout_seconds
        try:
            response = await self._opened(body, deadline)
            try:
                content = await _content(response, deadline, _LEAST_BYTES + max_tokens * _BYTES_PER_TOKEN)
            finally:
                response.close()
        except FAULTS as error:
            raise _translated(error, self._url) from error
        return _completion(_object(content))

    async def count_tokens(self, text: str) -> int:
        """See ``atoll.ports.chat.Chat``; llama.cpp's ``/tokenize`` or vLLM's, else an estimate by characters."""
        if monotonic() < self._estimate_until:
            return estimate_tokens(text)
        root = self._url.removesuffix("/v1")
        forms: dict[str, dict[str, Any]] = {
            "llama.cpp": {"content": text},
            "vllm": {"model": self._model, "prompt": text},
        }
        # llama.cpp counts nothing, without an error, in a request of vLLM's form: its own form is tried first
        for name, body in forms.items() if self._counting is None else [(self._counting, forms[self._counting])]:
            count = await self._counted(f"{root}/tokenize", body)
            if count is not None:
                self._counting = name
                return count
        self._counting = None
        self._estimate_until = monotonic() + _ESTIMATE_SECONDS
        return estimate_tokens(text)

    async def _opened(self, body: dict[str, Any], deadline: float) -> aiohttp.ClientResponse:
        """Send the request and return the open response of a stream."""
        content = json.dumps(body).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout_at(_on_loop(deadline)):
                    response = await self._http.opened("POST", f"{self._url}/chat/completions", content)
                break
            except aiohttp.ClientError as error:
                if attempt == _ATTEMPTS or not hung_up(error):
                    raise
        if response.status != HTTPStatus.OK:
            try:
                async with asyncio.timeout_at(_on_loop(deadline)):
                    said = await _start_of(response)
            finally:
                response.close()
            raise _refused(response, said)
        return response

    async def _counted(self, url: str, body: dict[str, Any]) -> int | None:
        try:
            async with asyncio.timeout(_TOKENIZE_SECONDS):
                reply = await self._http.exchange("POST", url, json.dumps(body).encode())
            if reply.status != HTTPStatus.OK or len(reply.content) > _MAX_COUNT_BYTES:
                return None
            answer = json.loads(reply.content)
        except (*FAULTS, ValueError):
            return None
        if not isinstance(answer, dict):
            return None
        if isinstance(answer.get("count"), int):
            return int(answer["count"])
        tokens = answer.get("tokens")
        return len(tokens) if isinstance(tokens, list) and tokens else None


async def _events(
    response: aiohttp.ClientResponse, deadline: float, max_bytes: int
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the JSON objects of a stream of server-sent events, until its end mark."""
    received = 0
    unfinished = b""
    chunks = response.content.iter_any()
    while True:
        try:
            async with asyncio.timeout_at(_on_loop(deadline)):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            raise ModelReplyInvalid("the chat server ended its answer in the middle") from None
        received += len(chunk)
        if received > max_bytes:
            raise ModelReplyInvalid(f"the chat server sent more than {max_bytes} bytes for one answer")
        *lines, unfinished = (unfinished + chunk).split(b"\n")
        for line in lines:
            if not line.startswith(b"data:"):
                continue
            content = line[len(b"data:") :].strip()
            if content == _END.encode():
                return
            yield _object(content)


async def _content(response: aiohttp.ClientResponse, deadline: float, max_bytes: int) -> bytes:
    received = bytearray()
    async with asyncio.timeout_at(_on_loop(deadline)):
        async for chunk in response.content.iter_any():
            received += chunk
            if len(received) > max_bytes:
                raise ModelReplyInvalid(f"the chat server sent more than {max_bytes} bytes for one answer")
    return bytes(received)


def _completion(answer: dict[str, Any]) -> Completion:
    try:
        choice = answer["choices"][0]
        usage = answer.get("usage")
        return Completion(
            text=without_thoughts(str(choice["message"].get("content") or "")),
            cut=choice.get("finish_reason") == "length",
            usage=ChatUsage(int(usage["prompt_tokens"]), int(usage["completion_tokens"])) if usage else None,
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ModelReplyInvalid("the chat server sent an answer of another shape") from error


def _object(content: bytes) -> dict[str, Any]:
    try:
        event = json.loads(content)
    except ValueError as error:
        raise ModelReplyInvalid("the chat server sent something that is not JSON") from error
    if not isinstance(event, dict):
        raise ModelReplyInvalid("the chat server sent JSON that is not an object")
    return event


def _pieces(event: dict[str, Any]) -> list[ChatPiece]:
    """Return the text of one event, whether it is the last because the answer was cut, and the usage."""
    if "error" in event:
        raise DependencyDown(f"the chat server broke off: {str(event['error'])[:_SHOWN_CHARACTERS]}")
    try:
        choices = event.get("choices") or ()
        texts = [(choice.get("delta") or {}).get("content") for choice in choices]
        cut = [ChatCut() for choice in choices if choice.get("finish_reason") == "length"]
        usage = event.get("usage")
        counted = [ChatUsage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))] if usage else []
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelReplyInvalid("the chat server sent an event of another shape") from error
    return [*(str(text) for text in texts if text), *cut, *counted]


async def _start_of(response: aiohttp.ClientResponse) -> str:
    """Return the beginning of an error's body, for a message."""
    return (await response.content.read(_SHOWN_CHARACTERS)).decode(errors="replace")


def _refused(response: aiohttp.ClientResponse, said: str) -> AtollError:
    status = response.status
    if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        after = response.headers.get("Retry-After", "")
        return DependencyDown(f"the chat server answered {status}", float(after) if after.isdecimal() else 1.0)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return ModelReplyInvalid(f"the chat server refused the key ({status}); check ATOLL_CHAT__API_KEY_FILE")
    if status == HTTPStatus.NOT_FOUND:
        return ModelReplyInvalid("the chat server has no chat completions or no such model; check ATOLL_CHAT__URL")
    return ModelReplyInvalid(f"the chat server answered {status}: {said}")


def _translated(error: Exception, url: str) -> AtollError:
    if isinstance(error, TimeoutError):
        return DependencyDown(f"the chat server at {url} did not answer in time")
    return DependencyDown(f"the chat server at {url} is away ({type(error).__name__})")


def _on_loop(deadline: float) -> float:
    """Return a `monotonic` deadline on the running loop's clock."""
    return asyncio.get_running_loop().time() + deadline - monotonic()


def estimate_tokens(text: str) -> int:
    """Return a token for four ASCII characters and one for each other: high for prose in every script."""
    wide = sum(1 for char in text if not char.isascii())
    return math.ceil((len(text) - wide) / 4) + wide
