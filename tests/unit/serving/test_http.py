from __future__ import annotations

import inspect
import re

import pytest

from atoll.errors import AtollError, BadInput, Forbidden, NotAuthenticated, NotAvailable, NotFound
from atoll.serving import errors
from atoll.serving.drain import Lifecycle, Stage
from atoll.serving.environment import process_environment
from atoll.serving.errors import ERRORS, InputTooLong, Overloaded, Unready, reply_to, row_of
from atoll.serving.http import create_app, host_name, json_body, json_response
from atoll.serving.metrics import Metrics

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}


def client(*, token: str | None = None, lifecycle: Lifecycle | None = None, raises: Exception | None = None):
    metrics = Metrics()
    app = create_app(
        "test",
        lifecycle=lifecycle or Lifecycle(),
        metrics=metrics,
        info=lambda: {"model": "m"},
        allowed_hosts=LOOPBACK,
        token=token,
        max_body_bytes=1000,
    )

    @app.post("/echo")
    def echo():
        if raises is not None:
            raise raises
        return json_response(json_body())

    return app.test_client()


def test_the_table_in_the_docstring_is_the_table_in_the_code():
    lines = re.findall(r"^    (\w+) +(\d{3}) +(\w+) +(\w+) +(\w+)$", errors.__doc__ or "", re.MULTILINE)
    assert [(kind.__name__, str(kind.status), row.type, row.code, row.reason) for kind, row in ERRORS.items()] == lines


def test_every_error_of_the_module_has_its_own_row_and_reason():
    ours = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, AtollError) and kind is not AtollError
    }
    assert ours == set(ERRORS)
    assert len({row.reason for row in ERRORS.values()}) == len(ERRORS)


def test_an_error_without_a_row_is_a_programming_error():
    with pytest.raises(TypeError, match="AtollError"):
        row_of(AtollError("?"))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadInput("a"), 400),
        (InputTooLong("a"), 400),
        (NotAuthenticated("a"), 401),
        (Forbidden("a"), 403),
        (NotFound("a"), 404),
        (Overloaded("a", 2.1), 429),
        (NotAvailable("a"), 501),
        (Unready("a"), 503),
    ],
)
def test_errors_leave_as_openai_objects(error, status):
    answer = client(raises=error).post("/echo", json={})
    assert answer.status_code == status
    assert answer.json == {
        "error": {"message": "a", "type": row_of(error).type, "param": None, "code": row_of(error).code}
    }


def test_retry_after_is_whole_seconds_rounded_up():
    assert reply_to(Overloaded("a", 2.1)).headers["Retry-After"] == "3"
    assert reply_to(Overloaded("a", 0.0)).headers["Retry-After"] == "1"


def test_unexpected_errors_name_their_type_and_nothing_of_the_request():
    answer = client(raises=KeyError("the text of a document")).post("/echo", json={})
    assert answer.status_code == 500
    assert "KeyError" in answer.json["error"]["message"]
    assert "document" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("GET", "/echo", b"", 405),
        ("POST", "/echo", b"{", 400),
        ("POST", "/echo", b'"\xff"', 400),
        ("POST", "/echo", b'"' + b"x" * 2000 + b'"', 413),
    ],
)
def test_the_framework_s_errors_have_the_same_shape(method, path, body, status):
    answer = client().open(path, method=method, data=body)
    assert answer.status_code == status
    assert set(answer.json["error"]) == {"message", "type", "param", "code"}


def test_health_is_open_and_everything_else_wants_the_token():
    browser = client(token="s3cret")
    assert browser.get("/health").json == {"status": "ok"}
    for path in ("/ready", "/info", "/metrics", "/nowhere"):
        refused = browser.get(path)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert browser.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert browser.get("/metrics", headers={"Authorization": "Bearer s3cret"}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8081", "127.0.0.1.evil.example"])
def test_other_host_names_are_refused(host):
    assert client().get("/health", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "[::1]:8081"])
def test_loopback_host_names_are_answered(host):
    assert client().get("/health", headers={"Host": host}).status_code == 200
    assert host_name(host) in LOOPBACK


def test_ready_follows_the_life_of_the_process():
    lifecycle = Lifecycle()
    browser = client(lifecycle=lifecycle)
    assert browser.get("/ready").status_code == 503
    assert browser.get("/health").status_code == 200
    lifecycle.loaded()
    assert browser.get("/ready").status_code == 200
    assert "atoll_model_ready 1.0" in browser.get("/metrics").text
    lifecycle.drain()
    answer = browser.get("/ready")
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "draining" in answer.json["error"]["message"]


def test_a_process_told_to_stop_while_loading_never_becomes_ready():
    lifecycle = Lifecycle()
    lifecycle.drain()
    lifecycle.loaded()
    assert lifecycle.stage is Stage.DRAINING


def test_failures_and_requests_are_counted_by_reason_and_route():
    browser = client()
    browser.get("/nowhere")
    browser.post("/echo", data=b"{")
    text = browser.get("/metrics").text
    assert 'atoll_model_failures_total{reason="not_found"} 1.0' in text
    assert 'atoll_model_failures_total{reason="validation"} 1.0' in text
    assert 'atoll_model_requests_total{route="/echo",status="400"} 1.0' in text


def test_waiting_threads_of_openmp_sleep():
    environment = process_environment(threads_per_worker=1)
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["GOMP_SPINCOUNT"] == "0"
    assert environment["HF_HUB_OFFLINE"] == "1"
