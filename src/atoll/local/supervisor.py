"""The tree: every role of the local stack under one process that starts, watches, restarts and stops them."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from atoll import files
from atoll.errors import StartRefused
from atoll.local import logs, pids, state
from atoll.local.child import Child
from atoll.local.roles import Role, Stack
from atoll.local.state import Phase, RoleName, RoleState, Row, StackState

_TICK_SECONDS = 0.05
_LOG_CHECK_SECONDS = 1.0
_LOCK_SECONDS = 2.0
#: SIGKILL needs no consent, only a moment; what sits in the kernel for longer is left to the next start.
_KILL_SECONDS = 5.0

logger = logging.getLogger(__name__)


class AlreadyRunning(StartRefused):
    """Raised when another supervisor holds the data directory."""


@contextmanager
def only_one(run_dir: Path) -> Iterator[None]:
    """Hold the data directory and clear what an earlier supervisor left behind.

    Raises:
        AlreadyRunning: another supervisor holds it.
        StartRefused: a process of an earlier stack cannot be ended.
    """
    files.private_folder(run_dir)
    with state.lock(run_dir, _LOCK_SECONDS) as held:
        if not held:
            raise AlreadyRunning(f"another supervisor runs in {run_dir.parent}")
        left = state.end_leftovers(run_dir)
        if left:
            pids = ", ".join(str(member.pid) for member in left)
            raise StartRefused(f"processes of an earlier stack cannot be ended (pid {pids}); end them and try again")
        yield


class Supervisor:
    """Runs a `Stack` until it is told to stop (SIGTERM, SIGINT) or a role refuses to start.

    Single-threaded but for the probes. A role is restarted when it dies, and killed and restarted when it was ready and
    then leaves more probes in a row unanswered than its `Patience` allows. One that is only slow, answers that it is
    not ready, or works while it is silent goes on.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stopping = False
        self._executor = ThreadPoolExecutor(max_workers=max(1, len(stack.roles)), thread_name_prefix="probe")
        self._children = {
            role.name: Child(role, stack.logs_dir / f"{role.name}.log", self._executor) for role in stack.roles
        }
        self._phase = Phase.STARTING
        self._reason: str | None = None
        self._written: StackState | None = None
        self._untold = False
        self._logs_checked_at = 0.0
        self._boot_id = pids.boot_id()
        self._own = pids.identify(os.getpid())

    def run(self) -> None:
        """Start everything and watch it; returns when stopped, with no child left.

        Raises:
            StartRefused: a role would not start; everything else has been stopped.
        """
        files.private_folder(self._stack.logs_dir)
        with self._signals():
            try:
                while not self._stopping:
                    self._turn()
                    time.sleep(_TICK_SECONDS)
            except StartRefused as refusal:
                self._phase, self._reason = Phase.REFUSED, refusal.message
                raise
            finally:
                self._stop_all()

    def _turn(self) -> None:
        for child in self._children.values():
            self._watch(child)
        if self._phase is Phase.STARTING and all(child.answered for child in self._children.values()):
            self._phase = Phase.RUNNING
            logger.info("all roles answer")
        if time.monotonic() - self._logs_checked_at >= _LOG_CHECK_SECONDS:
            self._logs_checked_at = time.monotonic()
            for path in self._stack.logs_dir.glob("*.log"):
                with contextlib.suppress(OSError):  # a full disk; tried again in a second
                    logs.keep_small(path)
        self._publish()

    def _watch(self, child: Child) -> None:
        name = child.role.name
        death = child.reap()
        if death is not None:
            wait_seconds = child.plan_restart(death, dependencies_answer=self._answer(child.role))
            logger.warning("%s died (exit code %d): restart in %.1f s", name, death.code, wait_seconds)
        try:
            if child.state is RoleState.WAITING and self._answer(child.role):
                child.start()
                self._publish()  # at once: what is not recorded cannot be cleared away later
                logger.info("%s started", name)
            elif child.restart_if_due():
                self._publish()
                logger.info("%s restarted", name)
        except OSError as error:  # no room for its log or its folder, or for one more process
            child.put_off(error)
            logger.warning("%s cannot be started now: %s", name, error.strerror)
        child.probe()
        hung = child.end_if_hung()
        if hung is not None:
            logger.warning("%s is hung: %s", name, hung)

    def _answer(self, role: Role) -> bool:
        return all(self._children[name].state is RoleState.RUNNING for name in role.after)

    def _stop_all(self) -> None:
        """Stop in reverse order: a role is asked once nobody that needs it is left."""
        if self._phase is not Phase.REFUSED:
            self._phase = Phase.STOPPING
        self._publish()
        for layer in reversed(layers(self._stack.roles)):
            self._stop(layer)
            self._publish()
        self._executor.shutdown(wait=False, cancel_futures=True)
        if self._phase is Phase.STOPPING:
            self._phase = Phase.STOPPED
        self._publish()
        logger.info("stopped")

    def _stop(self, layer: Sequence[Role]) -> None:
        children = [self._children[role.name] for role in layer]
        for child in children:
            child.ask_to_stop()
        _await_gone(children, max(role.grace_seconds for role in layer))
        for child in children:
            if not child.gone:
                logger.warning("%s did not stop in time: killed", child.role.name)
                child.kill()
        _await_gone(children, _KILL_SECONDS)

    def _publish(self) -> None:
        """Write the state file when something changed."""
        current = StackState(
            boot_id=self._boot_id,
            phase=self._phase,
            address=self._stack.address,
            rows=tuple(self._rows()),
            reason=self._reason,
        )
        if current != self._written:
            try:
                state.write(self._stack.run_dir, current)
            except OSError as error:  # a full disk must not end what runs; written as soon as there is room
                if not self._untold:
                    logger.warning("the state file cannot be written: %s", error.strerror)
                self._untold = True
            else:
                self._written, self._untold = current, False

    def _rows(self) -> Iterator[Row]:
        rows = {role.name: Row(role.name, role.state, address=role.address) for role in self._stack.elsewhere}
        rows |= {name: child.row for name, child in self._children.items()}
        ended = self._phase in {Phase.STOPPED, Phase.REFUSED}
        rows[RoleName.SUPERVISOR] = Row(
            RoleName.SUPERVISOR,
            RoleState.STOPPED if ended else RoleState.RUNNING,
            pid=self._own.pid if self._own else None,
            start_ticks=self._own.start_ticks if self._own else None,
        )
        listed = [*RoleName, *(name for name in rows if name not in set(RoleName))]
        return (rows[name] for name in listed if name in rows)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the loop; a second one changes nothing, because stopping is bounded."""

        def stop(signum: int, frame: FrameType | None) -> None:
            del signum, frame
            self._stopping = True

        previous = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        previous[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may go
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _await_gone(children: Sequence[Child], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(not child.gone for child in children) and time.monotonic() < deadline:
        time.sleep(_TICK_SECONDS)


def layers(roles: Sequence[Role]) -> list[list[Role]]:
    """Return roles in groups such that each group needs only earlier ones.

    Raises:
        StartRefused: roles wait for each other.
    """
    layers: list[list[Role]] = []
    placed: set[str] = set()
    remaining = list(roles)
    while remaining:
        layer = [role for role in remaining if role.after <= placed]
        if not layer:
            raise StartRefused(f"roles wait for each other: {', '.join(role.name for role in remaining)}")
        layers.append(layer)
        placed |= {role.name for role in layer}
        remaining = [role for role in remaining if role.name not in placed]
    return layers
