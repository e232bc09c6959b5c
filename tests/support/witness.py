"""A witness in every Python process: each connect, send, bind and name look-up, written to one file.

`install` writes a ``sitecustomize`` that Python imports at start from ``PYTHONPATH``, before any code of ours, and
that registers an audit hook. Forked children inherit it. What cannot be written down cannot be done: the hook raises.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

LOADED = "loaded"
_SITECUSTOMIZE = """\
import json
import os
import sys

_LOG = os.open({log!r}, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
#: Event -> which argument names the other end.
_WATCHED = {{
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.sendmsg": 1,
    "socket.bind": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "socket.gethostbyaddr": 0,
    "socket.getnameinfo": 0,
}}


def _note(event, target):
    line = {{"pid": os.getpid(), "command": sys.orig_argv, "event": event, "target": target}}
    os.write(_LOG, json.dumps(line, default=os.fsdecode).encode() + b"\\n")


def _witness(event, arguments):
    if event in _WATCHED:
        _note(event, arguments[_WATCHED[event]])


_note({loaded!r}, None)
sys.addaudithook(_witness)
"""


@dataclass(frozen=True)
class Seen:
    """One line of the witness; ``target`` is an address as Python has it: a host, a path, or a list."""

    pid: int
    command: tuple[str, ...]
    event: str
    target: object

    @property
    def is_local(self) -> bool:
        """Whether the other end is on loopback, a unix socket, or nobody in particular."""
        host = self.target[0] if isinstance(self.target, list) else self.target
        if host is None or (isinstance(host, str) and (host in {"", "localhost"} or host.startswith(("/", "\0")))):
            return self.event != "socket.bind" or host != ""  # an empty host binds to every address there is
        try:
            return ipaddress.ip_address(str(host)).is_loopback
        except ValueError:
            return False

    @property
    def module(self) -> str:
        """What the process runs: a module's name, or the name of its script."""
        words = self.command
        return words[words.index("-m") + 1] if "-m" in words else Path(words[-1 if len(words) < 2 else 1]).name


def install(folder: Path, log: Path) -> Path:
    """Write the module; return the folder to be put on ``PYTHONPATH``."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE.format(log=str(log), loaded=LOADED))
    return folder


def read(log: Path) -> list[Seen]:
    """Return what was seen."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [Seen(line["pid"], tuple(line["command"]), line["event"], line["target"]) for line in lines]
