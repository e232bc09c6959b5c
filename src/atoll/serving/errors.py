"""The error table of a model server: what is raised decides status, wire codes and the metric's reason.

::

    error             status  type                    code                     reason
    BadInput          400     invalid_request_error   invalid_value            validation
    InputTooLong      400     invalid_request_error   context_length_exceeded  too_long
    TokenIdsRefused   400     invalid_request_error   token_ids_refused        token_ids
    BodyTooLarge      413     invalid_request_error   request_too_large        too_large
    NotAuthenticated  401     authentication_error    invalid_api_key          authentication
    Forbidden         403     permission_error        host_not_allowed         host
    NotFound          404     invalid_request_error   not_found                not_found
    MethodRefused     405     invalid_request_error   method_not_allowed       method
    Overloaded        429     rate_limit_error        overloaded               overloaded
    ClientGone        499     request_cancelled       client_gone              dropped
    ModelFailed       500     server_error            model_failed             inference
    NotAvailable      501     not_available_error     not_available            not_available
    Unready           503     server_error            not_ready                not_ready
    TookTooLong       503     server_error            timeout                  timeout
    DependencyDown    503     server_error            dependency_down          dependency
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from atoll.errors import AtollError, BadInput, DependencyDown, Forbidden, NotAuthenticated, NotAvailable, NotFound


class InputTooLong(BadInput):
    """Raised when an input is longer than the model reads; the message names limit and count."""


class TokenIdsRefused(BadInput):
    """Raised when token ids arrive instead of text: they belong to another model's vocabulary."""


class BodyTooLarge(BadInput):
    """Raised when a request body is over the limit."""

    status = 413


class MethodRefused(BadInput):
    """Raised when a route exists but not for this method."""

    status = 405


class Overloaded(AtollError):
    """Raised when a lane's queue is full."""

    status = 429
    retryable = True

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ClientGone(AtollError):
    """Set on a job whose client closed the connection; nobody reads the answer."""

    status = 499


class ModelFailed(AtollError):
    """Raised for every job that had an input in a batch whose forward pass failed."""


class Unready(AtollError):
    """Raised while the model is loading and while the server is draining."""

    status = 503
    retryable = True
    retry_after_seconds = 2.0


class TookTooLong(AtollError):
    """Raised when a job was not finished within the server's own bound."""

    status = 503
    retryable = True
    retry_after_seconds = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """How an error is named on the wire (``type``, ``code``) and in the metrics (``reason``)."""

    type: str
    code: str
    reason: str


ERRORS: Mapping[type[AtollError], Row] = {
    BadInput: Row("invalid_request_error", "invalid_value", "validation"),
    InputTooLong: Row("invalid_request_error", "context_length_exceeded", "too_long"),
    TokenIdsRefused: Row("invalid_request_error", "token_ids_refused", "token_ids"),
    BodyTooLarge: Row("invalid_request_error", "request_too_large", "too_large"),
    NotAuthenticated: Row("authentication_error", "invalid_api_key", "authentication"),
    Forbidden: Row("permission_error", "host_not_allowed", "host"),
    NotFound: Row("invalid_request_error", "not_found", "not_found"),
    MethodRefused: Row("invalid_request_error", "method_not_allowed", "method"),
    Overloaded: Row("rate_limit_error", "overloaded", "overloaded"),
    ClientGone: Row("request_cancelled", "client_gone", "dropped"),
    ModelFailed: Row("server_error", "model_failed", "inference"),
    NotAvailable: Row("not_available_error", "not_available", "not_available"),
    Unready: Row("server_error", "not_ready", "not_ready"),
    TookTooLong: Row("server_error", "timeout", "timeout"),
    DependencyDown: Row("server_error", "dependency_down", "dependency"),
}


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error as it leaves the server; ``body`` is OpenAI's error object."""

    status: int
    headers: Mapping[str, str]
    body: Mapping[str, Mapping[str, str | None]]
    reason: str


def row_of(error: AtollError) -> Row:
    """Return the table row of the error's nearest class."""
    for kind in type(error).__mro__:
        if kind in ERRORS:
            return ERRORS[kind]
    raise TypeError(f"{type(error).__name__} has no row in the error table")


def reply_to(error: AtollError, *, param: str | None = None) -> ErrorReply:
    """Render ``error``; ``param`` names the request field that is at fault."""
    row = row_of(error)
    headers: dict[str, str] = {}
    retry_after_seconds = getattr(error, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, math.ceil(retry_after_seconds)))
    if error.status == NotAuthenticated.status:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"error": {"message": error.message, "type": row.type, "param": param, "code": row.code}}
    return ErrorReply(status=error.status, headers=headers, body=body, reason=row.reason)
