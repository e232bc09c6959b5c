"""The HTTP side that every model server shares: health, metrics, errors, the bearer token and the Host check."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import orjson
from flask import Flask, Response, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from atoll.errors import AtollError, BadInput, Forbidden, NotAuthenticated, NotFound
from atoll.serving.drain import Lifecycle
from atoll.serving.errors import BodyTooLarge, MethodRefused, ModelFailed, reply_to
from atoll.serving.metrics import Metrics

B = TypeVar("B", bound=BaseModel)

_OPEN_ROUTES = frozenset({"/health"})
_WERKZEUG: Mapping[int, type[AtollError]] = {404: NotFound, 405: MethodRefused, 413: BodyTooLarge}


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return ``body`` as JSON; numpy arrays are written as they are."""
    payload = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(payload, status=status, headers=dict(headers or {}), content_type="application/json")


def json_body() -> Any:
    """Return the request's JSON document.

    Raises:
        BadInput: the body is not JSON in UTF-8.
        BodyTooLarge: it is over the limit.
    """
    try:
        return orjson.loads(request.get_data(cache=False))
    except RequestEntityTooLarge as error:
        raise BodyTooLarge("the request body is over the limit; send less at a time") from error
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the body is not valid JSON: {error}") from error


def client_gone() -> Callable[[], bool]:
    """Return a check, usable from any thread, that says whether this request's client closed the connection."""
    check: Callable[[], bool] = request.environ.get("waitress.client_disconnected", lambda: False)
    return check


def blame(param: str) -> None:
    """Name the request field that the next error is about."""
    g.param = param


def validated(kind: type[B], document: object) -> B:
    """Return a request's document as ``kind``.

    Raises:
        BadInput: a field is absent or wrong; the message names it.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        blame(field)
        raise BadInput(f"{field}: {first['msg']}") from error


def create_app(
    name: str,
    *,
    lifecycle: Lifecycle,
    metrics: Metrics,
    info: Callable[[], Mapping[str, object]],
    allowed_hosts: Collection[str],
    token: str | None,
    max_body_bytes: int,
) -> Flask:
    """Build the application with ``/health /ready /info /metrics`` and the guards before every route."""
    app = Flask(name, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    expected = f"Bearer {token}".encode() if token is not None else None
    metrics.watch_ready(lambda: lifecycle.ready)

    @app.before_request
    def guard() -> None:
        if host_name(request.host) not in allowed_hosts:
            raise Forbidden("this Host header is not answered; use the server's own address")
        if expected is None or request.path in _OPEN_ROUTES:
            return
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            raise NotAuthenticated("send the server's token as 'Authorization: Bearer ...'")

    @app.get("/health")
    def health() -> Response:
        return json_response({"status": "ok"})

    @app.get("/ready")
    def ready() -> Response:
        lifecycle.require_ready()
        return json_response({"status": "ready"})

    @app.get("/info")
    def describe() -> Response:
        lifecycle.require_ready()
        return json_response(info())

    @app.get("/metrics")
    def exposition() -> Response:
        return Response(metrics.render(), content_type="text/plain; version=0.0.4; charset=utf-8")

    _answer_errors(app, metrics)

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "unknown"
        metrics.request(route=route, status=response.status_code)
        return response

    return app


def host_name(host: str) -> str:
    """Return a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def host_names(listening: str, more: str = "") -> frozenset[str]:
    """Return the Host names to answer: loopback's, the address that is listened on, and ``more``, comma-separated."""
    named = {name.strip().lower() for name in more.split(",")} - {""}
    return frozenset({"127.0.0.1", "localhost", "[::1]", listening} | named)


def _answer_errors(app: Flask, metrics: Metrics) -> None:
    def answer(error: AtollError) -> Response:
        reply = reply_to(error, param=g.get("param"))
        metrics.failure(reply.reason)
        return json_response(reply.body, reply.status, reply.headers)

    def translate(error: HTTPException) -> Response:
        kind = _WERKZEUG.get(error.code or 500, BadInput)
        return answer(kind(error.description or error.name))

    def unexpected(error: Exception) -> Response:
        app.logger.error("a request failed", exc_info=error)
        return answer(ModelFailed(f"the request failed ({type(error).__name__}); see the server's log"))

    app.register_error_handler(AtollError, answer)
    app.register_error_handler(HTTPException, translate)
    app.register_error_handler(Exception, unexpected)
