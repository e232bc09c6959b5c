"""Run a command that the kernel kills when its parent dies: `setpriv --pdeathsig KILL`, where that is missing.

Run by path, not as a module, so that nothing is imported that the command does not need:
``python -I tether.py PARENT_PID COMMAND...``
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def tethered(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command line that runs ``command`` as a child that does not outlive the thread that starts it."""
    setpriv = shutil.which("setpriv")
    if setpriv:
        return (setpriv, "--pdeathsig", "KILL", "--", *command)
    return (sys.executable, "-I", str(Path(__file__).resolve()), str(os.getpid()), *command)


def _main() -> None:
    parent, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):  # the parent died before the kernel was told to watch it
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the supervisor's own command line, no shell


if __name__ == "__main__":
    _main()
