"""One archive that tells how an installation is, for whoever helps: no secret, no word of a document.

Logs hold neither by rule; all the same every text that goes in is looked through for the secrets of this installation
and for what has the shape of a key.
"""

from __future__ import annotations

import io
import os
import platform
import re
import shutil
import sys
import tarfile
import time
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from atoll import files

#: The end of each log that goes in.
LOG_BYTES = 2 * 2**20
_REMOVED = "[removed]"
#: Our API keys, bearer tokens, passwords in addresses, signed links.
_SHAPES = re.compile(
    r"atoll_[A-Za-z0-9_-]{16,}|(?<=Bearer )[A-Za-z0-9._~+/=-]+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)|(?<=[?&]sig=)[^&\s\"]+"
)
_SHORTEST_SECRET = 6


def machine(data_dir: Path) -> dict[str, object]:
    """Return what this machine is, without its name."""
    usage = shutil.disk_usage(data_dir if data_dir.is_dir() else "/")
    return {
        "python": sys.version,
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "disk_free_bytes": usage.free,
        "disk_bytes": usage.total,
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def packages() -> str:
    """Return the installed packages, one a line."""
    named = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(named.items(), key=lambda pair: pair[0].lower()))


def folder_bytes(data_dir: Path) -> dict[str, int]:
    """Return how much of the disk each thing in the data directory takes; names deeper down are left out."""
    if not data_dir.is_dir():
        return {}
    return {each.name: _taken(each) for each in sorted(data_dir.iterdir())}


def logs(folder: Path) -> dict[str, str]:
    """Return the ends of the logs, by name."""
    found = {}
    for path in sorted(folder.glob("*.log")):
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            found[f"logs/{path.name}"] = file.read(LOG_BYTES).decode("utf-8", errors="replace")
    return found


def write(path: Path, parts: Mapping[str, str], secrets: Iterable[str]) -> None:
    """Write ``parts`` (name in the archive -> text) without ``secrets`` as a .tar.gz that only its owner reads."""
    known = sorted({each for each in secrets if len(each) >= _SHORTEST_SECRET}, key=len, reverse=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in parts.items():
            content = cleaned(text, known).encode("utf-8", errors="replace")
            member = tarfile.TarInfo(f"atoll-support/{name}")
            member.size, member.mtime, member.mode = len(content), int(time.time()), files.PRIVATE
            archive.addfile(member, io.BytesIO(content))
    files.write(path, packed.getvalue(), mode=files.PRIVATE)


def cleaned(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets and without what has the shape of one."""
    for secret in secrets:
        text = text.replace(secret, _REMOVED)
    return _SHAPES.sub(_REMOVED, text)


def _taken(path: Path) -> int:
    inside = path.rglob("*") if path.is_dir() and not path.is_symlink() else [path]
    total = 0
    for each in inside:
        try:
            total += each.lstat().st_blocks * 512
        except OSError:  # removed meanwhile
            continue
    return total
