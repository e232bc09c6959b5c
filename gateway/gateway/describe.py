"""The API's description: what FastAPI finds, with errors as problem documents and keys where they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from atoll.domain.principal import Action
from gateway.auth import Authorized
from gateway.documents.schemas import TextIn
from gateway.errors import Problem, refusals
from gateway.openai.errors import ErrorObject, OpenAIErrorOut, is_openai

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "atoll_<id>_<secret>"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_PROBLEM = {
    "description": "What went wrong, and what to do about it.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}

_ERROR_OBJECT = ErrorObject.model_json_schema(ref_template="#/components/schemas/{model}")
_ERROR_OBJECT.pop("$defs")


def describe(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Give the application its description: errors are problem documents, and keys are needed where they are."""
    app.openapi = lambda: _description(app, routes)  # type: ignore[method-assign]


def _description(app: FastAPI, routes: Sequence[APIRoute]) -> dict[str, Any]:
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = schema.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components["schemas"]
    for model in (Problem, TextIn, OpenAIErrorOut):
        if model.__name__ in schemas:
            raise TypeError(f"two models are called {model.__name__}: programs would be told of one of them")
        schemas[model.__name__] = model.model_json_schema()
    schemas[ErrorObject.__name__] = _ERROR_OBJECT
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    keyed = {
        (route.path, method): action
        for route in routes
        if (action := _action(route)) is not None
        for method in route.methods or ()
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)  # every error is a problem document
            operation["responses"]["default"] = _PROBLEM
            action = keyed.get((path, method.upper()))
            if action is not None:
                operation["security"] = [{"bearer": []}, {"key": []}]
                expected = refusals(*_expected(path, method, operation, action))
                operation["responses"] = {
                    **operation["responses"],
                    **{str(status): told for status, told in expected.items()},
                }
            if is_openai(path):
                operation["responses"] = dict(map(_as_error_object, operation["responses"].items()))
    app.openapi_schema = schema
    return schema


def _as_error_object(response: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    status, told = response
    if "application/problem+json" not in told.get("content", {}):
        return response
    return status, {**told, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorObject"}}}}


def _action(route: APIRoute) -> Action | None:
    """Return what a route authorises, None for one that needs no key."""
    called = (each.call for each in route.dependant.dependencies)
    return next((call.action for call in called if isinstance(call, Authorized)), None)


def _expected(path: str, method: str, operation: Mapping[str, Any], action: Action) -> Iterator[int]:
    """Yield the statuses that requests with a key can be refused with, by the kind of the operation."""
    yield from (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS)
    yield HTTPStatus.SERVICE_UNAVAILABLE
    if "parameters" in operation or "requestBody" in operation:
        yield HTTPStatus.BAD_REQUEST
    if "{" in path:
        yield HTTPStatus.NOT_FOUND
    if method != "get" and action is not Action.READ:
        yield HTTPStatus.CONFLICT
    if "requestBody" in operation:
        yield HTTPStatus.REQUEST_ENTITY_TOO_LARGE
