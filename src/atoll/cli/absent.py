"""Why nobody answers at the gateway's address, as far as the data directory tells, and what to do about it."""

from __future__ import annotations

from atoll.local import state
from atoll.local.state import Phase, RoleName, RoleState
from atoll.settings import Settings

#: A role in such a state keeps nobody waiting.
_SETTLED = frozenset({RoleState.RUNNING, RoleState.EXTERNAL, RoleState.NOT_CONFIGURED})


def why_absent(settings: Settings, address: str) -> str:
    """Return one line; ``address`` is where nobody answered."""
    current = state.read(settings.run_dir)
    supervisor = current.row(RoleName.SUPERVISOR) if current else None
    if current is not None and supervisor is not None and supervisor.alive:
        waited = ", ".join(row.role for row in current.rows if row.state not in _SETTLED)
        doing = "stopping" if current.phase == Phase.STOPPING else "still starting"
        return f"Atoll is {doing} ({waited or 'the gateway'}); try again in a few seconds, or see `atoll status`"
    if current is not None and current.phase == Phase.REFUSED and current.reason:
        return f"Atoll did not start here: {current.reason}"
    return (
        f"Atoll is not running here ({address} does not answer; the data directory is {settings.data_dir.absolute()}); "
        "start it with `atoll up --local`, or set ATOLL_DATA_DIR to the directory of the one that runs"
    )
