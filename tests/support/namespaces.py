"""Linux namespaces that a test may enter without being root: a mount of its own, a network with only loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.stack import require, unavailable

_READY = "ready"
_HOLD = f"echo {_READY}; exec sleep 3600"


@dataclass(frozen=True)
class Namespaces:
    """Namespaces that live as long as the process that holds them."""

    pid: int
    entering: tuple[str, ...]

    @property
    def prefix(self) -> tuple[str, ...]:
        """A command that runs another one inside."""
        return ("nsenter", "--target", str(self.pid), *self.entering, "--preserve-credentials", "--")

    @property
    def root(self) -> Path:
        """The root folder as seen inside, from outside."""
        return Path(f"/proc/{self.pid}/root")


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Namespaces]:
    """Mount a file system of this size on ``folder``, visible only inside."""
    mount = f'mount -t tmpfs -o size={mebibytes}m,mode=700 tmpfs "{folder}"'
    with _held(["--mount"], mount, ("--user", "--mount")) as held:
        yield held


@contextmanager
def only_loopback() -> Iterator[Namespaces]:
    """Make a network namespace whose only interface is loopback."""
    with _held(["--net"], f"{require('ip')} link set lo up", ("--user", "--net")) as held:
        yield held


@contextmanager
def _held(kinds: list[str], setup: str, entering: tuple[str, ...]) -> Iterator[Namespaces]:
    require("nsenter")
    holder = subprocess.Popen(
        [require("unshare"), "--map-root-user", *kinds, "sh", "-ec", f"{setup}\n{_HOLD}"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline().strip() != _READY:
            unavailable(f"this machine gives tests no namespaces: {holder.stderr.read().strip()}")
        yield Namespaces(holder.pid, entering)
    finally:
        holder.kill()
        holder.communicate()
