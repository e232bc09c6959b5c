"""Errors as problem documents (RFC 9457): ``application/problem+json`` for everything, whoever raised it."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route

from atoll.errors import AtollError, BadInput, DependencyDown, QuotaExceeded

_log = logging.getLogger(__name__)

#: Status of an answer that nobody waits for any more; it shows in logs and metrics only.
CLIENT_CLOSED_REQUEST = 499
_MAX_INVALID_FIELDS = 8
#: Types of what is refused outside the routes; everything else is BadInput.
_REFUSALS = {
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "RangeNotSatisfiable",
    HTTPStatus.REQUEST_TIMEOUT: "TooSlow",
    HTTPStatus.SERVICE_UNAVAILABLE: "Overloaded",
}


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str


def problem(error: AtollError, request_id: str) -> dict[str, Any]:
    """Return the problem document of an error."""
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        # Errors of the inside carry details that belong into the log.
        return _problem(error.type, error.status, _unexpected(request_id), request_id)
    return _problem(error.type, error.status, error.message, request_id)


def refusal_problem(status: int, detail: str, request_id: str) -> dict[str, Any]:
    """Return the problem document of a refusal that a library below the routes wrote as plain text."""
    return _problem(_REFUSALS.get(HTTPStatus(status), "BadInput"), status, detail, request_id)


def unexpected_problem(request_id: str) -> dict[str, Any]:
    """Return the problem document of an exception that nobody expected: nothing of the inside."""
    return _problem("InternalError", HTTPStatus.INTERNAL_SERVER_ERROR, _unexpected(request_id), request_id)


def problem_response(body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem document as a response."""
    return Response(
        orjson.dumps(body), status_code=body["status"], headers=headers, media_type="application/problem+json"
    )


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what a route declares as ``responses`` of its own kind; `describe` adds those that its kind has."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI, routes: Sequence[Route]) -> None:
    """Let the application, which has these routes, answer every error as a problem document."""

    async def http_error(request: Request, error: Exception) -> Response:
        return await _http_error(request, error, routes)

    app.add_exception_handler(AtollError, _atoll_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientDisconnect, _gone)


def error_response(error: AtollError, request_id: str) -> Response:
    """Return an error as a response; 401 names the scheme, 429 and 503 say when to come back."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="atoll"'
    if isinstance(error, QuotaExceeded | DependencyDown):
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_seconds)))
    return problem_response(problem(error, request_id), headers)


def log_inside(error: AtollError, request_id: str) -> None:
    """Log an error that only the inside should have seen; the caller learns no more than its request id."""
    if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s reached the edge", error.type, exc_info=error, extra={"request_id": request_id})


def invalid(errors: Sequence[Any]) -> BadInput:
    """Return the error for fields that do not fit: where and why, never the value, which may be a question."""
    found = list(dict.fromkeys(map(_told, errors)))
    more = f"; and {len(found) - _MAX_INVALID_FIELDS} more" if len(found) > _MAX_INVALID_FIELDS else ""
    return BadInput("; ".join(found[:_MAX_INVALID_FIELDS]) + more)


#: A validator's kind of error -> what we say; ``{name}`` is a bound out of its context.
_SAID = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_too_short": "must be at least {min_length} long",
    "string_too_long": "must be at most {max_length} long",
    "too_long": "may have at most {max_length} entries",
    "too_short": "needs at least {min_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_pattern_mismatch": "must have the form {pattern}",
}
#: What a validator calls the members of a union: `Range`, `list[...]`, `function-after[...]`, `bool`.
_MEMBER = re.compile(r"Range|[\w-]+\[.*|bool|int|float|str|constrained-str")


def _told(error: Mapping[str, Any]) -> str:
    """Return where a field stands and what is wrong with it.

    A value that may have several forms is tried as each: which of them failed where is the validator's own business.
    """
    if error["type"] == "json_invalid":
        return "body: is no JSON that can be read"
    location = [str(part) for part in error["loc"]]
    member = next((at for at, part in enumerate(location) if at and _MEMBER.fullmatch(part)), None)
    if member is not None:
        return f"{'.'.join(location[:member])}: has none of the forms that the description of the API names"
    words = _SAID.get(error["type"])
    try:
        said = words.format(**error.get("ctx", {})) if words else str(error["msg"]).removeprefix("Value error, ")
    except KeyError:
        said = str(error["msg"])
    return f"{'.'.join(location)}: {said}"


async def _atoll_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AtollError)
    log_inside(error, request.state.request_id)
    return error_response(error, request.state.request_id)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return error_response(invalid(error.errors()), request.state.request_id)


async def _http_error(request: Request, error: Exception, routes: Sequence[Route]) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, AtollError):  # raised while the framework read the body
        return await _atoll_error(request, error.__cause__)
    if isinstance(error.__cause__, ClientDisconnect):
        return await _gone(request, error.__cause__)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return _not_allowed(request, routes)
    name = "NotFound" if status == HTTPStatus.NOT_FOUND else "BadInput"
    detail = f"there is nothing at {request.url.path[:200]}" if status == HTTPStatus.NOT_FOUND else str(error.detail)
    return problem_response(_problem(name, status, detail, request.state.request_id), error.headers)


def _not_allowed(request: Request, routes: Sequence[Route]) -> Response:
    """Tell which methods there are: of all routes at this address, not of the first one alone."""
    allowed = {
        method for route in routes if route.matches(request.scope)[0] != Match.NONE for method in route.methods or ()
    }
    if "GET" in allowed:
        allowed.add("HEAD")
    headers = {"Allow": ", ".join(sorted(allowed | {"OPTIONS"}))}
    if request.method == "OPTIONS":
        return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    detail = f"{request.method} is not possible here; possible are {headers['Allow']}"
    status = HTTPStatus.METHOD_NOT_ALLOWED
    return problem_response(_problem("MethodNotAllowed", status, detail, request.state.request_id), headers)


async def _gone(request: Request, error: Exception) -> Response:
    del error
    body = _problem("ClientClosedRequest", CLIENT_CLOSED_REQUEST, "the body broke off", request.state.request_id)
    return problem_response(body)


def _problem(name: str, status: int, detail: str, request_id: str) -> dict[str, Any]:
    return {
        "type": f"urn:atoll:problem:{name}",
        "title": re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize(),
        "status": int(status),
        "detail": detail,
        "request_id": request_id,
    }


def _unexpected(request_id: str) -> str:
    return f"something went wrong inside; the log has the reason under request id {request_id}"
