"""Whether the processes of the local stack run with an environment that asks nobody outside for anything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from atoll.ops.preflight import Line

_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY")


def check(processes: Mapping[str, int], wanted: Mapping[str, str]) -> list[Line]:
    """Return a line for each process (role -> pid), which must have ``wanted`` in its environment and no proxy.

    Without processes there is one line that says so: an environment that nobody runs with proves nothing.
    """
    if not processes:
        return [Line("local stack", "it does not run; start it with `atoll up --local` and look again")]
    return [Line(role, _reason(pid, wanted)) for role, pid in processes.items()]


def _reason(pid: int, wanted: Mapping[str, str]) -> str | None:
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError as error:
        return f"the environment of pid {pid} cannot be read: {error.strerror}"
    given = dict(pair.split("=", 1) for pair in os.fsdecode(content).split("\0") if "=" in pair)
    if not given:
        return None  # a process that has emptied its environment asks nobody either
    missing = [f"{name}={value}" for name, value in wanted.items() if given.get(name) != value]
    if missing:
        return f"pid {pid} runs without {', '.join(missing)}; start the stack anew with `atoll up --local`"
    proxies = sorted(name for name in given if name.upper() in _PROXIES and given[name])
    return (
        f"pid {pid} was given {', '.join(proxies)}; start the stack anew with `atoll up --local`" if proxies else None
    )
