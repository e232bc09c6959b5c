"""Documents and questions through the edge, and services killed while documents are read."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from tests.compose.journey import KB, await_ready, make, upload
from tests.compose.running import Running, docker

pytestmark = pytest.mark.timeout(900)


def test_a_document_of_each_kind_is_read_found_cited_and_deleted(owner: httpx.Client) -> None:
    print(f"\nanswered: {make(owner)}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", None),
        ("/health/live", 200),
        ("/openapi.json", 200),
        ("/docs", None),
        ("/health/ready", 404),
        ("/metrics", 404),
        ("/other", 404),
    ],
)
def test_the_edge_forwards_what_it_is_meant_to(owner: httpx.Client, path: str, status: int | None) -> None:
    answer = owner.get(path)
    assert answer.status_code == status if status else answer.status_code not in {502, 503}


def test_the_edge_logs_no_question(stack: Running, owner: httpx.Client) -> None:
    owner.get(f"{KB}/documents", params={"name": "verysecretname"})
    time.sleep(1)
    logs = stack.compose("logs", "--no-color", "edge")
    assert f"{KB}/documents" in logs
    assert "verysecretname" not in logs


def test_the_edge_speaks_the_apis_language_about_too_much(stack: Running) -> None:
    """Answered from the announced length, before a byte of the body came."""
    request = f"POST {KB}/documents HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2**40}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as raw:
        raw.sendall(request.encode())
        answer = http.client.HTTPResponse(raw)
        answer.begin()
        body = json.loads(answer.read())
    assert (answer.status, body["status"]) == (413, 413)
    assert answer.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("service", ["ingestion", "parser", "embeddings", "redis", "qdrant", "neo4j", "gateway"])
def test_a_killed_service_costs_no_document(stack: Running, owner: httpx.Client, service: str) -> None:
    """Killed in the middle of an ingest and started again: every document gets there, none is asked for twice."""
    texts = [
        (f"{service}-{n}.txt", f"Report {n} about {service}.\n\nThe pump {n} was repaired on day {n}.\n" * 5)
        for n in range(6)
    ]
    ids = [upload(owner, name, text.encode()) for name, text in texts[:3]]
    victims = stack.containers(service)
    docker("kill", victims[0])
    docker("start", victims[0])
    ids += [upload(owner, name, text.encode()) for name, text in texts[3:]]
    stack.healthy(service)
    await_ready(owner, ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("service", ["gateway", "ingestion"])
def test_a_restart_costs_no_search(stack: Running, owner: httpx.Client, service: str) -> None:
    failed, done = _under_searches(
        stack, lambda: [_restart(stack, service, each) for each in stack.containers(service)]
    )
    print(f"\nrestart of {service}: {failed} of {done} searches failed")
    assert done > 10
    assert failed == 0


def test_the_share_of_searches_that_other_restarts_cost(stack: Running, owner: httpx.Client) -> None:
    for service in ("edge", "parser", "colpali", "embeddings", "redis", "qdrant", "neo4j"):
        failed, done = _under_searches(
            stack, lambda name=service: [_restart(stack, name, each) for each in stack.containers(name)]
        )
        print(f"restart of {service}: {failed} of {done} searches failed")
        time.sleep(1)
        stack.healthy("gateway")


def _restart(stack: Running, service: str, container: str) -> None:
    docker("restart", container, timeout=180)
    stack.healthy(service)


def _under_searches(stack: Running, disturb: Callable[[], object]) -> tuple[int, int]:
    """Search steadily while something is done; return (failed, all)."""
    stop, outcomes = threading.Event(), []

    def search() -> None:
        with stack.client() as client:
            while not stop.is_set():
                try:
                    outcomes.append(client.post(f"{KB}/search", json={"query": "pump repaired"}).status_code)
                except httpx.HTTPError as error:
                    outcomes.append(type(error).__name__)
                time.sleep(0.2)

    thread = threading.Thread(target=search)
    thread.start()
    try:
        disturb()
    finally:
        stop.set()
        thread.join(60)
    return sum(outcome != 200 for outcome in outcomes), len(outcomes)


def test_three_workers_share_the_work(stack: Running, owner: httpx.Client) -> None:
    stack.compose("up", "--wait", "--no-build", "--no-recreate", "--scale", "ingestion=3")
    try:
        ids = [upload(owner, f"shared-{n}.txt", f"Shared document {n}.\n".encode() * 50) for n in range(24)]
        await_ready(owner, ids)
        assert len(stack.containers("ingestion")) == 3
    finally:
        stack.compose("up", "--wait", "--no-build", "--no-recreate", "--scale", "ingestion=1")
