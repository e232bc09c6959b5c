"""The guards of the tests themselves: no network in unit tests, a clean environment, no silent skip in CI."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable

import pytest
from pytest_socket import SocketBlockedError

from atoll.settings import PREFIX


def test_a_unit_test_cannot_make_a_network_socket() -> None:
    with pytest.raises(SocketBlockedError):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)


def test_a_unit_test_cannot_look_up_a_name() -> None:
    with pytest.raises(SocketBlockedError):
        socket.getaddrinfo("localhost", 80)


async def test_an_event_loop_cannot_connect_either() -> None:
    with pytest.raises(SocketBlockedError):
        await asyncio.open_connection("127.0.0.1", 9)


def test_no_setting_of_the_caller_reaches_a_test() -> None:
    assert [name for name in os.environ if name.startswith(PREFIX)] == []


def test_a_missing_program_skips_on_a_laptop(requires: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        requires("no-such-program")


def test_a_missing_program_fails_in_ci(requires: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        requires("no-such-program")


def test_a_program_that_is_there_is_found(requires: Callable[[str], str]) -> None:
    assert requires("sh").endswith("/sh")
