"""The API's description, and its committed copy: ``python -m gateway.openapi --check | --write``."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from gateway.auth import Authorized
from gateway.documents.schemas import TextIn
from gateway.errors import Problem

#: The committed copy; a change of the API shows as a change of this file.
COMMITTED = Path(__file__).parents[1] / "openapi.json"

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


def render(app: FastAPI) -> str:
    """Return the description as the committed file holds it."""
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def main() -> int:
    """Compare with the committed copy or write it; return the exit code."""
    from gateway.app import routes  # the application needs this module

    parser = argparse.ArgumentParser(prog="python -m gateway.openapi", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="exit 1 and show the difference when it is out of date")
    choice.add_argument("--write", action="store_true", help="write it")
    current = render(routes())
    if parser.parse_args().write:
        COMMITTED.write_text(current, encoding="utf-8")
        return 0
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    if committed == current:
        return 0
    sys.stdout.writelines(
        difflib.unified_diff(committed.splitlines(True), current.splitlines(True), "gateway/openapi.json", "the code")
    )
    sys.stdout.write("\nThe API changed: run `python -m gateway.openapi --write` and commit the file.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
