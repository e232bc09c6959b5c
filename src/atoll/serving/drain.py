"""The life of a server process: loading, ready, draining."""

from __future__ import annotations

from enum import StrEnum

from atoll.serving.errors import Unready


class Stage(StrEnum):
    """What the process is doing."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"


class Lifecycle:
    """Readiness and drain of one process.

    Its methods only assign, so that a signal handler may call them whatever the main thread is doing.
    """

    def __init__(self) -> None:
        self._stage = Stage.LOADING
        self._failure: str | None = None

    @property
    def stage(self) -> Stage:
        """Loading, ready or draining."""
        return self._stage

    @property
    def ready(self) -> bool:
        """Whether requests are taken."""
        return self._stage is Stage.READY

    @property
    def draining(self) -> bool:
        """Whether the process is on its way out."""
        return self._stage is Stage.DRAINING

    @property
    def failure(self) -> str | None:
        """Why the process gives up, in one line."""
        return self._failure

    def loaded(self) -> None:
        """Take requests from now on, unless the process was told to stop meanwhile."""
        if self._stage is Stage.LOADING:
            self._stage = Stage.READY

    def drain(self) -> None:
        """Take no more requests; those taken are still answered."""
        self._stage = Stage.DRAINING

    def fail(self, message: str) -> None:
        """Stop the process with ``message`` as its last line."""
        self._failure = message
        self._stage = Stage.DRAINING

    def require_ready(self) -> None:
        """Raise ``Unready`` unless requests are taken."""
        if self._stage is Stage.LOADING:
            raise Unready("the model is still loading; try again in a few seconds")
        if self._stage is Stage.DRAINING:
            raise Unready("the server is draining; try again")
