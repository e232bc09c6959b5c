"""Errors as OpenAI's clients read them: ``{"error": {"message", "type", "param", "code"}}``, whoever raised them.

Everything that refuses a request writes a problem document; on the routes of OpenAI's API the outermost layer turns it
into an error object, so that refusals of hosts, bodies and methods are error objects too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.middleware import set_body_limit

#: A conversation with pictures in it is large; it is read so far that the refusal can say what is wrong with it.
MAX_BODY_BYTES = 4 * 2**20
_PATHS = re.compile(r"/v1/(?:models|chat|completions|embeddings|responses)(?:/.*)?")
_NAMES_MODEL = re.compile(r"/v1/(?:models/.+|chat/completions|embeddings|responses)")
_PROBLEM = "urn:atoll:problem:"
_MAX_PROBLEM_BYTES = 64 * 1024
#: Where a field stands in the body, as our own refusals tell it first.
_FIELD = re.compile(r"body\.([\w.\[\]-]+): ")
_TYPES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}
_CODES = {
    "NotAuthenticated": "invalid_api_key",
    "QuotaExceeded": "rate_limit_exceeded",
    "DocumentTooLarge": "request_too_large",
}
#: What a retry cannot help: clients would ask up to twelve times.
_LASTING = frozenset({"IndexMissing", "InternalError", "ModelReplyInvalid", "NotAvailable", "StorageFull"})
#: A quota that ends tomorrow is not waited for.
_LONG_SECONDS = 60


class OpenAIErrorOut(BaseModel):
    """What went wrong: words for people, and for programs the field that is meant and a name."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorObject(BaseModel):
    """An error as OpenAI's API tells it."""

    error: OpenAIErrorOut


def is_openai(path: str) -> bool:
    """Whether a path belongs to OpenAI's API."""
    return _PATHS.fullmatch(path) is not None


def error_object(problem: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return a problem document as an error object."""
    status, name = int(problem["status"]), str(problem["type"]).removeprefix(_PROBLEM)
    message = str(problem["detail"])
    field = _FIELD.match(message)
    code = _CODES.get(name, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
    if status == HTTPStatus.NOT_FOUND and _NAMES_MODEL.fullmatch(path):
        code = "model_not_found"
    server = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "server_error" if server else _TYPES.get(status, "invalid_request_error")
    told = OpenAIErrorOut(
        message=message.removeprefix("body."), type=kind, param=field[1] if field else None, code=code
    )
    return ErrorObject(error=told).model_dump()


class OpenAIErrors:
    """Turns problem documents into error objects on OpenAI's routes, and lets larger bodies in there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not is_openai(scope["path"]):
            await self._app(scope, receive, send)
            return
        set_body_limit(scope, MAX_BODY_BYTES)
        refused: Message | None = None
        text = bytearray()

        async def send_object(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_problem(message):
                refused = message
            elif refused is None:
                await send(message)
            else:
                text.extend(message.get("body", b"")[: _MAX_PROBLEM_BYTES - len(text)])
                if not message.get("more_body"):
                    await _send_error(refused, bytes(text), scope, send)

        await self._app(scope, receive, send_object)


async def _send_error(start: Message, text: bytes, scope: Scope, send: Send) -> None:
    headers = MutableHeaders(raw=list(start["headers"]))
    headers["Content-Type"] = "application/json"
    body = b""
    if text:  # the answer to HEAD has none
        problem = orjson.loads(text)
        body = orjson.dumps(error_object(problem, scope["path"]))
        headers["Content-Length"] = str(len(body))
        lasts = str(problem["type"]).removeprefix(_PROBLEM) in _LASTING
        if lasts or int(headers.get("Retry-After", "0")) > _LONG_SECONDS:
            headers["x-should-retry"] = "false"
    await send({**start, "headers": headers.raw})
    await send({"type": "http.response.body", "body": body})


def _is_problem(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/problem+json")
