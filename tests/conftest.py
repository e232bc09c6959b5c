"""What holds for every test: warnings are errors (pyproject.toml), and the environment is nobody's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from atoll.settings import ALIASES, NOT_SUPPORTED, PREFIX

if TYPE_CHECKING:
    from tests.support.neo4j_server import Neo4jServer

#: Besides settings, what would send a test somewhere else.
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


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
