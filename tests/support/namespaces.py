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
def only_loopback(*addresses: str) -> Iterator[Namespaces]:
    """Make a network namespace whose only interface is loopback, with more addresses on it if wanted."""
    ip = require("ip")
    setup = [f"{ip} link set lo up", *(f"{ip} address add {address}/32 dev lo" for address in addresses)]
    with _held(["--net"], "\n".join(setup), ("--user", "--net")) as held:
        yield held


def unrouted(inside: Namespaces) -> int:
    """Return how often the kernel found no route for what a process inside wanted to send, native code included.

    Linux counts these where it refuses them (``OutNoRoutes``, ``Ip6OutNoRoutes``), connects and datagrams alike.
    """
    read = [*inside.prefix, "cat", "/proc/net/snmp", "/proc/net/snmp6"]
    lines = subprocess.run(read, capture_output=True, text=True, check=True).stdout.splitlines()
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    sixth = next(line.split()[1] for line in lines if line.startswith("Ip6OutNoRoutes"))
    return int(values[names.index("OutNoRoutes")]) + int(sixth)


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
