"""What the edge of the container stack answers by itself on the routes of OpenAI's API, read from its configuration."""

from __future__ import annotations

import json
import re

import pytest

from atoll.errors import AtollError, DependencyDown, DocumentTooLarge, QuotaExceeded
from gateway.errors import problem
from gateway.openai.errors import MAX_BODY_BYTES, error_object, is_openai
from tests.support.stack import ROOT

CONFIGURATION = (ROOT / "services" / "edge" / "nginx.conf").read_text()
LOCATION = re.search(r"location ~ (\^/v1/\(\?:models\S+) \{(.*?)\n        \}", CONFIGURATION, re.DOTALL)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models", "/v1/models/atoll/default", "/v1/chat/completions", "/v1/completions", "/v1/embeddings",
        "/v1/responses", "/v1/responses/1", "/v1/kbs", "/v1/kbs/models/documents", "/v1/modelsome", "/mcp",
    ],
)  # fmt: skip
def test_the_edge_knows_openais_routes_as_the_gateway_does(path: str) -> None:
    assert LOCATION
    assert bool(re.search(LOCATION[1], path)) == is_openai(path)


@pytest.mark.parametrize(
    ("status", "error"), [(413, DocumentTooLarge("x")), (429, QuotaExceeded("x")), (503, DependencyDown("x"))]
)
def test_what_the_edge_refuses_there_has_the_form_of_the_gateways_refusals(status: int, error: AtollError) -> None:
    assert LOCATION
    name = re.search(rf"error_page [\d ]*\b{status}\b[\d ]* = (@\w+);", LOCATION[2])
    assert name
    told = re.search(
        rf"location {name[1]} {{\s+default_type application/json;\s+(add_header Retry-After \d always;\s+)?"
        rf"return {status} '(.*)';",
        CONFIGURATION,
    )
    assert told, f"{name[1]} answers with JSON"
    assert bool(told[1]) == (status != 413)
    said, gateways = json.loads(told[2])["error"], error_object(problem(error, "r"), "/v1/chat/completions")["error"]
    assert said.pop("message")
    gateways.pop("message")
    assert said == gateways


def test_the_edge_says_how_large_a_body_may_be() -> None:
    assert f"the body is larger than the {MAX_BODY_BYTES // 2**20} MiB allowed here" in CONFIGURATION
