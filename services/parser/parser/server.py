"""The fork server: single-threaded, heavy libraries loaded once, one confined child per document.

It never looks into a document itself. A connection is one request; closing it ends the request's child.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atoll.adapters import parser_wire as wire
from atoll.adapters.parser_wire import Operation, Request
from atoll.errors import AtollError, BadInput, DependencyDown, ParserDied
from parser.child import Work, died_because, read_verdict, run_child
from parser.lanes import Lane
from parser.listening import listen, remove

if TYPE_CHECKING:
    from pathlib import Path

    from parser.limits import ChildLimits

#: A client that has connected says what it wants within this time.
REQUEST_SECONDS = 5.0
#: Requests of one lane that may wait for a child; past it the answer is "busy".
DEFAULT_BACKLOG = 64
_MAX_DESCRIPTORS = max(wire.DESCRIPTORS.values())
_TICK_SECONDS = 0.25


@dataclass(eq=False, slots=True)
class _Call:
    """One connection, from accept to reply."""

    connection: socket.socket
    deadline: float
    received: bytearray = field(default_factory=bytearray)
    descriptors: list[int] = field(default_factory=list)
    request: Request | None = None
    child: _Child | None = None
    bytes: int = 0
    started: float | None = None


@dataclass(slots=True)
class _Child:
    """A running child: its process, a descriptor that becomes readable when it ends, and where its verdict comes."""

    pid: int
    pidfd: int
    verdict: int
    overdue: bool = False


class ForkServer:
    """Serves a unix socket until `stop`; ``work`` says what each operation does in its child."""

    def __init__(
        self,
        socket_path: Path,
        work: Mapping[Operation, Work],
        limits: Mapping[Operation, ChildLimits],
        *,
        concurrency: int,
        backlog: int = DEFAULT_BACKLOG,
    ) -> None:
        self._socket_path = socket_path
        self._work = work
        self._limits = limits
        self._concurrency = concurrency
        self._backlog = backlog
        # Drawing has its own: a page is shown at once, however many documents are being read.
        self._lanes: dict[Operation, Lane[_Call]] = {operation: Lane(concurrency) for operation in work}
        self._calls: set[_Call] = set()
        self._selector = selectors.DefaultSelector()
        self._stopping = False

    def stop(self) -> None:
        """Make `serve` end its children and return; safe in a signal handler."""
        self._stopping = True

    def serve(self) -> None:
        """Answer until `stop`.

        Raises:
            StartRefused: another process serves the socket.
        """
        listener = listen(self._socket_path)
        address = self._socket_path.stat()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        try:
            while not self._stopping:
                for key, _ in self._selector.select(_TICK_SECONDS):
                    key.data(key.fileobj)
                self._enforce_deadlines()
                for operation in self._lanes:  # a child that turns out to take long makes room for others
                    self._start_waiting(operation)
        finally:
            self._stopping = True
            for call in list(self._calls):
                self._close(call)
            self._selector.close()
            listener.close()
            remove(self._socket_path, address)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = listener.accept()
            connection.setblocking(False)
            call = _Call(connection, deadline=time.monotonic() + REQUEST_SECONDS)
            self._calls.add(call)
            self._selector.register(connection, selectors.EVENT_READ, lambda _: self._receive(call))
            if len(self._calls) > len(self._lanes) * (self._concurrency + self._backlog):
                self._refuse(call, DependencyDown("the parser is busy: too many connections"))

    def _receive(self, call: _Call) -> None:
        """Take what the client sends: its request first; later only its leaving, which ends the call."""
        try:
            piece, descriptors, flags, _ = socket.recv_fds(
                call.connection, wire.MAX_FRAME_BYTES, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            self._close(call)
            return
        call.descriptors += descriptors
        if call.request or not piece:
            self._close(call)
            return
        call.received += piece
        try:
            self._take_request(call, lost_descriptors=bool(flags & socket.MSG_CTRUNC))
        except wire.WireError as err:
            self._refuse(call, BadInput(str(err)))

    def _take_request(self, call: _Call, *, lost_descriptors: bool) -> None:
        if len(call.received) < wire.LENGTH_BYTES:
            return
        end = wire.LENGTH_BYTES + wire.body_length(bytes(call.received[: wire.LENGTH_BYTES]))
        if len(call.received) < end:
            return
        call.request = wire.request_of(wire.decode(bytes(call.received[wire.LENGTH_BYTES : end])))
        call.received.clear()
        operation = call.request.operation
        if lost_descriptors or len(call.descriptors) != wire.DESCRIPTORS[operation]:
            raise wire.WireError(f"{operation} brings {wire.DESCRIPTORS[operation]} descriptors")
        if operation is Operation.PING:
            self._reply(call, {})
            return
        lane = self._lanes[operation]
        if len(lane.waiting) >= self._backlog:
            self._refuse(call, DependencyDown(f"the parser is busy: {len(lane.waiting)} requests wait already"))
            return
        call.deadline = float("inf")
        call.bytes = os.fstat(call.descriptors[0]).st_size
        lane.waiting.append(call)
        self._start_waiting(operation)

    def _start_waiting(self, operation: Operation) -> None:
        lane = self._lanes[operation]
        while call := lane.start_next(time.monotonic()):
            self._fork(call, operation)

    def _fork(self, call: _Call, operation: Operation) -> None:
        assert call.request
        limits = self._limits[operation]
        verdict, child_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as err:
            os.close(verdict)
            os.close(child_end)
            self._refuse(call, DependencyDown(f"the parser cannot start a child: {err.strerror}"))
            return
        if pid == 0:
            run_child(
                self._work[operation],
                call.request.arguments,
                call.descriptors,
                child_end,
                limits=limits,
                parent=parent,
            )
        os.close(child_end)
        _close_all(call.descriptors)
        call.child = _Child(pid, os.pidfd_open(pid), verdict)
        call.deadline = time.monotonic() + limits.wall_seconds
        self._selector.register(call.child.pidfd, selectors.EVENT_READ, lambda _: self._finish(call))

    def _finish(self, call: _Call) -> None:
        """The child has ended: pass on its verdict, or say how it died."""
        assert call.child
        assert call.request
        child, limits = call.child, self._limits[call.request.operation]
        message = read_verdict(child.verdict)
        status = self._reap(call)
        if os.waitstatus_to_exitcode(status) == 0 and message is not None:
            self._reply(call, message)
            return
        reason = (
            f"reading it takes more than {limits.wall_seconds:.0f} s" if child.overdue else died_because(status, limits)
        )
        self._refuse(call, ParserDied(reason))

    def _reap(self, call: _Call) -> int:
        """Kill what is left of the child's session, collect its status and forget it."""
        assert call.child
        child, call.child = call.child, None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)  # it may not have reached its own session yet
        self._selector.unregister(child.pidfd)
        _, status = os.waitpid(child.pid, 0)
        os.close(child.pidfd)
        os.close(child.verdict)
        return status

    def _enforce_deadlines(self) -> None:
        now = time.monotonic()
        for call in [call for call in self._calls if call.deadline <= now]:
            if call.child is None:
                self._close(call)
            elif not call.child.overdue:
                call.child.overdue = True
                os.kill(call.child.pid, signal.SIGKILL)

    def _refuse(self, call: _Call, error: AtollError) -> None:
        self._reply(call, {"error": {"type": error.type, "message": error.message, "page": None}})

    def _reply(self, call: _Call, message: dict[str, Any]) -> None:
        # The reply is far below a socket's buffer, so a client that does not read cannot hold the server up.
        with contextlib.suppress(OSError):
            call.connection.sendall(wire.encode(message))
        self._close(call)

    def _close(self, call: _Call) -> None:
        """End a call in any state and let the next one start."""
        if call not in self._calls:
            return
        self._calls.discard(call)
        if call.child:
            self._reap(call)
        self._selector.unregister(call.connection)
        call.connection.close()
        _close_all(call.descriptors)
        if call.request and (lane := self._lanes.get(call.request.operation)):
            lane.forget(call)
            if not self._stopping:
                self._start_waiting(call.request.operation)


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
