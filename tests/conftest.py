"""What holds for every test: warnings are errors (pyproject.toml), and the environment is nobody's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from atoll.settings import ALIASES, NOT_SUPPORTED, PREFIX

if TYPE_CHECKING:
    from tests.support.fake_chat import FakeChat
    from tests.support.lanes import Lanes
    from tests.support.neo4j_server import Neo4jServer
    from tests.support.stack import Stack

#: Besides settings, what would send a test somewhere else.
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes:
    """Keep together what shares a server, wherever several processes run tests (`-n`)."""
    from tests.support.lanes import Lanes  # there is no xdist to import where tests run in one process

    return Lanes(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Say that a test on Neo4j is one in its name, by which it is found, and begin with what takes longest."""
    hidden = [item.nodeid for item in items if "neo4j_server" in _fixtures(item) and "neo4j" not in item.nodeid]
    assert not hidden, f"tests on Neo4j that do not say so in their names: {hidden}"
    if hasattr(config, "workerinput"):
        from tests.support.lanes import in_order

        items[:] = in_order(items)


def _fixtures(item: pytest.Item) -> tuple[str, ...]:
    return tuple(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Take out what whoever started the tests had set, so that tests and their processes see the defaults."""
    strangers = {*ALIASES, *NOT_SUPPORTED, *_PROXIES, *(name.lower() for name in _PROXIES)}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(PREFIX) or name in strangers]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def requires() -> Callable[[str], str]:
    """Return ``requires(program) -> path``: a missing program skips the test on a laptop and fails it in CI.

    The one server that may be missing in CI too is a real Qdrant (`QDRANT_TEST_URL`), of which the contract suite
    takes care itself.
    """
    from tests.support.stack import require  # it imports most of Atoll, which few tests need

    return require


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A Neo4j that all tests share; `store`-like fixtures empty it before each test."""
    from tests.support.neo4j_server import running  # few tests need it

    with running(tmp_path_factory.mktemp("neo4j")) as server:
        yield server


@pytest.fixture(scope="session")
def chat() -> Iterator[FakeChat]:
    """The chat server of the shared stack; a test says what it answers."""
    from tests.support import fake_chat

    with fake_chat.serving() as server:
        yield server


@pytest.fixture(scope="session")
def shared_stack(tmp_path_factory: pytest.TempPathFactory, chat: FakeChat) -> Iterator[Stack]:
    """One local stack with the real embedding model for all tests that can live with its short lease and index check.

    Each file brings a knowledge base of its own. A file that uses it is named in `tests.support.lanes`.
    """
    from tests.support.stack import running

    settings = {
        "ATOLL_CHAT__URL": chat.url,
        "ATOLL_WORKER__LEASE_SECONDS": "3",
        "ATOLL_WORKER__INDEX_CHECK_SECONDS": "1",
    }
    with running(tmp_path_factory.mktemp("shared"), settings) as stack:
        yield stack


@pytest.fixture(scope="module")
def own_kb(shared_stack: Stack, request: pytest.FixtureRequest) -> str:
    """A knowledge base of this file's own on the shared stack."""
    name = request.path.stem.removeprefix("test_").replace("_", "-")
    with shared_stack.client() as client:
        assert client.post("/v1/kbs", json={"name": name, "language": "en"}).status_code < 300
    return name
