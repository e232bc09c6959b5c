"""Python programs that begin as forks of an interpreter which has imported their libraries already.

A model server imports torch and transformers for seconds before it does anything of its own. Where many servers with
different settings are started, each is a process of its own all the same, but the import happens once.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_STOP_SECONDS = 10.0


class Process:
    """A forked program, used as ``subprocess.Popen`` is."""

    def __init__(self, interpreter: Interpreter, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._interpreter = interpreter

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, once the program has ended."""
        if self.returncode is None:
            self.returncode = self._interpreter.ask(poll=self.pid)["code"]
        return self.returncode

    def wait(self, seconds: float) -> int:
        """Return the exit code; raise ``TimeoutExpired`` where the program goes on for longer."""
        until = time.monotonic() + seconds
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"forked program {self.pid}", seconds)
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the program has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the program at once."""
        self.send_signal(9)


class Interpreter:
    """A Python that has run ``prepare`` and forks once for each program that it is asked to start."""

    def __init__(self, python: str, prepare: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "tests.support.forked", prepare],
            env=dict(environment),
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, module: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
        """Start ``python -m module arguments``; both of its outputs go to ``log``."""
        asked = {"module": module, "arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        return Process(self, self.ask(**asked)["pid"])

    def ask(self, **question: Any) -> dict[str, Any]:
        """Send one question and return its answer."""
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(json.dumps(question) + "\n")
        asked.flush()
        line = answers.readline()
        assert line, f"the interpreter ended with {self._process.wait(_STOP_SECONDS)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the interpreter; whoever started programs has ended them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(_STOP_SECONDS)
        self._process.stdout.close()


def _fork(asked: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.argv = [asked["module"], *asked["arguments"]]
        runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001  # as an interpreter does: it is shown, and the code is 1
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


def main() -> None:
    """Prepare, then answer one question a line until there are none."""
    exec(sys.argv[1], {})  # a statement of the tests themselves
    for line in sys.stdin:
        asked = json.loads(line)
        answer = {"code": _ended(asked["poll"])} if "poll" in asked else {"pid": _fork(asked)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
