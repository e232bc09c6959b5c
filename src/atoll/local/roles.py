"""What a role of the local stack is: its command, its environment, what it waits for, and how long it may be silent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from atoll.local.probes import Probe
from atoll.local.state import RoleState

#: Time to stop before the kernel helps.
STORE_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a role that has answered may be silent before it is killed and started again.

    ``probes`` in a row, ``every_seconds`` one. A role that works meanwhile is busy, not hung: see `Silence`.
    """

    probes: int = 6
    every_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Role:
    """A child process of the supervisor.

    ``after`` names the roles that must have answered once before this one starts the first time; ``folders`` are
    made before every start; ``disposable`` is emptied once if the role refuses to start on what lies there;
    ``sign_of_life`` is a file that the role touches, removed before every start.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    probe: Probe
    after: frozenset[str] = frozenset()
    address: str | None = None
    token_file: Path | None = None
    folders: tuple[Path, ...] = ()
    disposable: Path | None = None
    grace_seconds: float = STORE_GRACE_SECONDS
    patience: Patience = Patience()
    sign_of_life: Path | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A role that this stack does not run: somebody else's server, or none at all."""

    name: str
    state: RoleState
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that the supervisor needs to know, in the order in which roles are listed."""

    address: str
    folder: Path
    run_dir: Path
    logs_dir: Path
    roles: tuple[Role, ...]
    elsewhere: tuple[Elsewhere, ...] = field(default=())
