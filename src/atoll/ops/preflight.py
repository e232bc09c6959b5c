"""Whether this machine can run the container stack: each check says in one line what is wrong and what to do.

Nothing is started, pulled or written. The checks look at what `docker compose up` would use: the engine, memory, disk,
the published port, a GPU where the profile wants one, models, secret files, the clock.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from atoll.ops import stack_secrets
from atoll.ops.models.present import absent_chat

#: What `--accept` may name, and what one gives up by it.
ACCEPTABLE: Mapping[str, str] = {
    "old-engine": "internal networks of engines below 25.0.5 pass names on to the outside (CVE-2024-29018)"
}
#: The oldest engine whose internal networks are tight, and the oldest Compose that reads our files.
ENGINE, COMPOSE = (25, 0, 5), (2, 24, 4)
#: What torch's CUDA builds and vLLM need at least.
COMPUTE, CUDA = (7, 0), (12, 1)

_GIB = 1 << 30
#: Main memory and free disk in GiB, by profile: docs/sizing.md has what was measured.
_MEMORY = {"extract": 6, "cpu": 12, "gpu": 16}
_DISK = {"extract": 10, "cpu": 20, "gpu": 60}
_ASK_SECONDS = 20.0
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_YEARS = 20 * 365 * 86_400


@dataclass(frozen=True, slots=True)
class Site:
    """What the checks look at: the choices of .env, on this machine."""

    profile: str
    bind: str
    port: int
    models_dir: Path
    secrets_dir: Path
    chat_model_file: str
    model_dirs: Mapping[str, str]
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Line:
    """What one check found. ``reason`` is None when all is well; a fault that was ``accepted`` fails nothing."""

    name: str
    reason: str | None
    accepted: bool = False

    @property
    def failed(self) -> bool:
        """Whether the stack should not be started like this."""
        return self.reason is not None and not self.accepted


def run(site: Site) -> list[Line]:
    """Make every check, each whatever the others found."""
    found = []
    for name, check in _CHECKS.items():
        reason = check(site)
        accepted = name == "engine" and reason is not None and _too_old(reason) and "old-engine" in site.accepted
        found.append(Line(name, reason, accepted))
    return found


def _engine(site: Site) -> str | None:
    del site
    said = _ask("docker", "version", "-f", "{{.Server.Version}}")
    version = _version(said)
    if version is None:
        return "no container engine answers; start it, or become a member of the group docker"
    return None if version >= ENGINE else f"engine {said} is older than {_dotted(ENGINE)}: {ACCEPTABLE['old-engine']}"


def _too_old(reason: str) -> bool:
    return ACCEPTABLE["old-engine"] in reason


def _compose(site: Site) -> str | None:
    del site
    said = _ask("docker", "compose", "version", "--short")
    version = _version(said)
    if version is None:
        return "`docker compose` is not installed; install the Compose plugin"
    return None if version >= COMPOSE else f"Compose {said} is older than {_dotted(COMPOSE)}"


def _memory(site: Site) -> str | None:
    have, needed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), _MEMORY[site.profile] * _GIB
    return None if have >= needed else f"{have / _GIB:.1f} GiB of memory; profile {site.profile} needs {needed // _GIB}"


def _disk(site: Site) -> str | None:
    root = _ask("docker", "info", "-f", "{{.DockerRootDir}}")
    place = Path(root) if root and Path(root).is_dir() else Path("/")
    free, needed = shutil.disk_usage(place).free, _DISK[site.profile] * _GIB
    return (
        None
        if free >= needed
        else f"{free / _GIB:.1f} GiB free at {place}; profile {site.profile} needs {needed // _GIB}"
    )


def _port(site: Site) -> str | None:
    if _ask("docker", "compose", "ps", "-q", "edge"):
        return None  # ours already
    family = socket.AF_INET6 if ":" in site.bind else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((site.bind.strip("[]"), site.port))
        except OSError as error:
            return f"{site.bind}:{site.port}: {error.strerror}; set ATOLL_GATEWAY__PORT or ATOLL_EDGE__BIND"
    return None


def _gpu(site: Site) -> str | None:
    if site.profile != "gpu":
        return None
    said = _ask("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader")
    compute = [version for line in (said or "").splitlines() if (version := _version(line))]
    if not compute:
        return "no GPU is seen (nvidia-smi); install the driver, or use profile cpu"
    if max(compute)[:2] < COMPUTE:
        return f"compute capability {_dotted(max(compute)[:2])} is below {_dotted(COMPUTE)}"
    driver = re.search(r"CUDA Version: (\d+\.\d+)", _ask("nvidia-smi") or "")
    cuda = _version(driver[1] if driver else "")
    if cuda is None or cuda[:2] < CUDA:
        return f"the driver offers CUDA {driver[1] if driver else 'of no version'}, {_dotted(CUDA)} is needed"
    return (
        None
        if "nvidia" in (_ask("docker", "info", "-f", "{{json .Runtimes}}") or "")
        else ("the engine has no NVIDIA runtime; install the NVIDIA container toolkit")
    )


def _models(site: Site) -> str | None:
    missing = [] if site.profile == "extract" else [absent_chat(site.chat_model_file, site.models_dir)]
    for setting, place in site.model_dirs.items():
        if place.startswith("/models/") and not (site.models_dir / place.removeprefix("/models/")).is_dir():
            missing.append(f"{setting}: {place} is absent from {site.models_dir}")
    reasons = [reason for reason in missing if reason is not None]
    return "; ".join(reasons) or None


def _secrets(site: Site) -> str | None:
    return stack_secrets.fault(site.secrets_dir)


def _clock(site: Site) -> str | None:
    """Compare with the files of this release: keys expire and certificates hold by the clock."""
    del site
    released, now = Path(__file__).stat().st_mtime, time.time()
    if now < released - 86_400:
        return f"the clock says {_day(now)}, but this release is of {_day(released)}; set the clock"
    return f"the clock says {_day(now)}; set the clock" if now > released + _YEARS else None


_CHECKS: Mapping[str, Callable[[Site], str | None]] = {
    "engine": _engine,
    "compose": _compose,
    "memory": _memory,
    "disk": _disk,
    "port": _port,
    "gpu": _gpu,
    "models": _models,
    "secrets": _secrets,
    "clock": _clock,
}


def remember(environment: Path, accepted: Sequence[str]) -> None:
    """Note what was accepted in .env, from where the gateway's next start writes it to the audit log."""
    name = "ATOLL_GATEWAY__ACCEPTED_RISKS="
    before = environment.read_text(encoding="utf-8").splitlines() if environment.exists() else []
    lines = [*(line for line in before if not line.startswith(name)), f"{name}{','.join(sorted(accepted))}"]
    environment.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _ask(*command: str) -> str | None:
    """Return what a program says, or None where it is missing, fails or does not answer."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            command, capture_output=True, text=True, check=False, timeout=_ASK_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(text: str | None) -> tuple[int, ...] | None:
    match = _NUMBERS.search(text or "")
    return tuple(int(number or 0) for number in match.groups()) if match else None


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(number) for number in version)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
