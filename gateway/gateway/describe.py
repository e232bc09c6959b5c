"""The API's description: what FastAPI finds, with errors as problem documents and keys where they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.auth import Authorized
from gateway.documents.schemas import TextIn
from gateway.errors import Problem

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "atoll_<id>_<secret>"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
_PROBLEM = {
    "description": "What went wrong, and what to do about it.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


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
    for model in (Problem, TextIn):
        schemas[model.__name__] = model.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    keyed = {(route.path, method) for route in routes if _is_keyed(route) for method in route.methods or ()}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            operation["responses"].pop("422", None)  # every error is a problem document
            operation["responses"]["default"] = _PROBLEM
            if (path, method.upper()) in keyed:
                operation["security"] = [{"bearer": []}, {"key": []}]
    app.openapi_schema = schema
    return schema


def _is_keyed(route: APIRoute) -> bool:
    return any(isinstance(each.call, Authorized) for each in route.dependant.dependencies)
