"""One supervised process: started, watched, restarted with back-off, stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from atoll import files
from atoll.errors import StartRefused
from atoll.local import logs, pids
from atoll.local.pids import Identity
from atoll.local.probes import Answer
from atoll.local.roles import Role
from atoll.local.silence import Silence
from atoll.local.state import RoleState, Row
from atoll.local.tether import tethered

#: Longest wait before a restart; the wait doubles from the first one on.
MAX_BACKOFF_SECONDS = 5.0
_FIRST_BACKOFF_SECONDS = 0.2
#: A role that lived this long has recovered: the next death starts from the first wait again.
_STABLE_SECONDS = 10.0
#: Deaths in a row before a first answer that end the start of the whole stack.
_MAX_FIRST_DEATHS = 6
_PROBE_SECONDS_STARTING = 0.1
#: Exit codes that mean "I will not start": ours, and "cannot execute" and "not found" of the wrapper.
_REFUSALS = frozenset({1, 126, 127})


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended: its exit code (negative: the signal) and the last line of its log."""

    code: int
    reason: str


class Child:
    """The supervisor's view of one role. Not thread-safe; only the probe runs on another thread.

    Starts must come from the supervisor's main thread: the kernel kills the child when the *thread* that started it
    ends.
    """

    def __init__(self, role: Role, log: Path, executor: Executor) -> None:
        self.role = role
        self.state = RoleState.WAITING
        self.restarts = 0
        self.answered = False
        self._log = log
        self._executor = executor
        self._running: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._reason: str | None = None
        self._log_offset = 0
        self._started_at = 0.0
        self._due_at = 0.0
        self._deaths_in_a_row = 0
        self._probing: Future[Answer] | None = None
        self._probed_at = 0.0
        self._silence = Silence(role.patience.probes)
        self._hung: str | None = None
        self._emptied = False

    @property
    def row(self) -> Row:
        """What the state file says about this role."""
        identity, role = self._identity, self.role
        return Row(
            role=role.name,
            state=self.state,
            pid=identity.pid if identity else None,
            start_ticks=identity.start_ticks if identity else None,
            restarts=self.restarts,
            address=role.address,
            token_file=str(role.token_file) if role.token_file else None,
            reason=self._reason,
        )

    def start(self) -> None:
        """Start the process in its own session, tied to this process's life, with its output in its log."""
        for folder in self.role.folders:
            files.private_folder(folder)
        if self.role.sign_of_life is not None:
            self.role.sign_of_life.unlink(missing_ok=True)
        logs.keep_small(self._log)
        self._log_offset = logs.size(self._log)
        descriptor = logs.open_log(self._log)
        try:
            self._running = subprocess.Popen(  # noqa: S603 - the role table's own command, no shell
                tethered(self.role.command),
                env=dict(self.role.environment),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self._identity = pids.identify(self._running.pid)
        self._started_at = time.monotonic()
        self._probing, self._probed_at = None, 0.0
        self._silence.broken()
        self.state = RoleState.STARTING

    def restart_if_due(self) -> bool:
        """Start again once the back-off has passed; return whether it did."""
        if self.state is not RoleState.RESTARTING or time.monotonic() < self._due_at:
            return False
        self.start()
        self.restarts += 1
        return True

    def reap(self) -> Death | None:
        """Return how the process ended if it has, after ending what it left in its session."""
        if self._running is None:
            return None
        # Looked at before it is reaped: until then nobody else can get its pid, so the group is surely its own.
        if os.waitid(os.P_PID, self._running.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._running.pid, signal.SIGKILL)
        code = self._running.wait()
        self._running = None
        self._identity = None
        self._probing = None
        hung, self._hung = self._hung, None
        return Death(code, hung or logs.last_line(self._log, self._log_offset) or _ended(code))

    def plan_restart(self, death: Death, *, dependencies_answer: bool) -> float:
        """Decide what follows a death; return the seconds until the next start.

        Raises:
            StartRefused: the role will not start: it said so before it ever answered, with all it needs at hand, or
                it died again and again.
        """
        lived_seconds = time.monotonic() - self._started_at
        self._deaths_in_a_row = 1 if lived_seconds >= _STABLE_SECONDS else self._deaths_in_a_row + 1
        self._reason = death.reason
        if not self.answered and self._refuses(death, dependencies_answer=dependencies_answer):
            self.state = RoleState.REFUSED
            raise StartRefused(f"{self.role.name} did not start: {death.reason} (log: {self._log})")
        wait_seconds = min(MAX_BACKOFF_SECONDS, _FIRST_BACKOFF_SECONDS * 2.0 ** min(self._deaths_in_a_row - 1, 10))
        self._due_at = time.monotonic() + wait_seconds
        self.state = RoleState.RESTARTING
        return wait_seconds

    def put_off(self, error: OSError) -> None:
        """Note that the process could not be started, and try again in a while."""
        self._reason = f"cannot be started: {error.strerror}"
        self._due_at = time.monotonic() + MAX_BACKOFF_SECONDS
        self.state = RoleState.RESTARTING

    def _refuses(self, death: Death, *, dependencies_answer: bool) -> bool:
        if self._deaths_in_a_row >= _MAX_FIRST_DEATHS:
            return True
        if death.code not in _REFUSALS or not dependencies_answer:
            return False
        if self.role.disposable is not None and not self._emptied:
            self._emptied = True
            shutil.rmtree(self.role.disposable, ignore_errors=True)
            return False
        return True

    def probe(self) -> None:
        """Ask whether the role answers, on the executor, and take note of the answer that came."""
        if self._running is None:
            return
        if self._probing is not None:
            if not self._probing.done():
                return
            answer = self._probing.result()
            self._probing = None
            self._note(answer)
        pause = _PROBE_SECONDS_STARTING if self.state is RoleState.STARTING else self.role.patience.every_seconds
        if time.monotonic() - self._probed_at >= pause:
            self._probed_at = time.monotonic()
            self._probing = self._executor.submit(self.role.probe)

    def _note(self, answer: Answer) -> None:
        if answer is Answer.READY:
            self.answered = True
            self._reason = None
            self.state = RoleState.RUNNING
        elif self.state is RoleState.RUNNING:
            self.state = RoleState.UNRESPONSIVE
        if answer is not Answer.NONE:
            self._silence.broken()
        elif self.state is RoleState.UNRESPONSIVE and self._identity is not None:
            self._silence.goes_on(self._identity.pid)

    def end_if_hung(self) -> str | None:
        """Kill the process if it left too many probes in a row unanswered; return why, or None."""
        if self._running is None or self._hung is not None or not self._silence.is_too_long:
            return None
        self._hung = f"it did not answer {self.role.patience.probes} times in a row: ended by the supervisor"
        self.kill()
        return self._hung

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and SIGCONT so that a stopped process can act on it."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError):
                self._running.send_signal(signal.SIGTERM)
                self._running.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End the process and its whole session group at once."""
        if self._running is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running.pid, signal.SIGKILL)

    @property
    def gone(self) -> bool:
        """Whether there is no process any more."""
        self.reap()
        if self._running is not None:
            return False
        if self.state is not RoleState.REFUSED:
            self.state = RoleState.STOPPED
        return True


def _ended(code: int) -> str:
    if code < 0:
        return f"ended by {signal.Signals(-code).name} without a word"
    return f"ended with exit code {code} without a word"
