from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from atoll.local.probes import Answer, heartbeat, parser_ping
from atoll.local.silence import Silence


def silence(limit: int, *, worked_a_second: float) -> tuple[Silence, list[float]]:
    now = [0.0]
    return Silence(limit, worked_seconds=lambda _: now[0] * worked_a_second, clock=lambda: now[0]), now


def probes_until_hung(limit: int, *, worked_a_second: float) -> int:
    counted, now = silence(limit, worked_a_second=worked_a_second)
    for number in range(1, 1000):
        now[0] += 5.0
        counted.goes_on(os.getpid())
        if counted.is_too_long:
            return number
    raise AssertionError("never hung")


def test_an_idle_role_is_hung_after_its_limit_and_a_busy_one_after_ten_times_as_long() -> None:
    assert probes_until_hung(4, worked_a_second=0.0) == 4
    assert probes_until_hung(4, worked_a_second=0.9) == 31  # the first probe has nothing to compare with


def test_one_answer_begins_the_count_anew() -> None:
    counted, _ = silence(2, worked_a_second=0.0)
    counted.goes_on(os.getpid())
    counted.broken()
    counted.goes_on(os.getpid())
    assert not counted.is_too_long
    counted.goes_on(os.getpid())
    assert counted.is_too_long


def test_a_parser_that_only_the_kernel_answers_for_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atoll.local.probes._TIMEOUT_SECONDS", 0.2)
    path = tmp_path / "parser.sock"
    assert parser_ping(path)() is Answer.NONE
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen(8)
        assert parser_ping(path)() is Answer.NONE

        def speak() -> None:
            listener.accept()[0].close()  # the one that gave up
            connection, _ = listener.accept()
            connection.recv(100)
            connection.sendall(b"\0\0\0\2{}")
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        assert parser_ping(path)() is Answer.READY
        thread.join()


def test_a_worker_is_silent_when_its_sign_of_life_is_old(tmp_path: Path) -> None:
    path = tmp_path / "worker.alive"
    listening = Answer.READY
    probe = heartbeat(path, lambda: listening)
    assert heartbeat(path, None)() is Answer.NOT_READY
    assert probe() is Answer.READY  # no sign yet: the broker knows that it listens
    path.touch()
    assert heartbeat(path, None)() is Answer.READY
    listening = Answer.NONE  # the broker is away, the worker is not
    assert probe() is Answer.NOT_READY
    listening = Answer.READY
    os.utime(path, (time.time() - 60, time.time() - 60))
    assert probe() is Answer.NONE
