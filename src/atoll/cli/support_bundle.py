"""support-bundle: one archive for whoever helps, without secrets and without a word of a document."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atoll.cli import options, render
from atoll.errors import AtollError

if TYPE_CHECKING:
    from atoll.settings import Settings

_ABOUT = """\
What `atoll support-bundle` gathered: the machine, the packages, the settings that were set (those that are secrets
without their values), the processes, what readiness and the metrics say, disk use by folder, and the ends of the logs.
No document, question, answer, key or password is among it; names of files and folders of the installation are.
"""
_COMPOSE_SECONDS = 60.0
_COMPOSE = {
    "compose/ps.txt": ("docker", "compose", "ps", "--all"),
    "compose/version.txt": ("docker", "version"),
    "compose/logs.txt": ("docker", "compose", "logs", "--no-color", "--timestamps", "--tail", "2000"),
}


@click.command("support-bundle")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: atoll-support-TIME.tar.gz."
)
@click.option("--compose", is_flag=True, help="Take the states and logs of the container stack in as well.")
@options.as_json
def support_bundle(output: Path | None, compose: bool, as_json: bool) -> None:
    """Pack what helps to find a fault: versions, settings, states, logs. No secrets, no text of documents."""
    from atoll import settings as configuration
    from atoll.ops import support_bundle as bundle

    settings = configuration.load()
    path = output or Path(f"atoll-support-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    parts = {"README.txt": _ABOUT, **_parts(settings), **(_of_compose() if compose else {})}
    bundle.write(path, parts, _secrets(settings))
    if as_json:
        render.as_json({"path": str(path.absolute()), "bytes": path.stat().st_size, "parts": list(parts)})
    else:
        click.echo(
            f"{path}  ({render.size(path.stat().st_size)}, {len(parts)} files; look through it before you send it)"
        )


def _parts(settings: Settings) -> dict[str, str]:
    from atoll.local import control, environment
    from atoll.ops import support_bundle as bundle

    status = control.status(settings.run_dir.absolute(), settings.gateway.address)
    gathered: dict[str, object] = {
        "machine.json": bundle.machine(settings.data_dir),
        "settings.json": environment.shown(settings),
        "status.json": status,
        "disk.json": bundle.folder_bytes(settings.data_dir),
    }
    parts = {name: json.dumps(body, indent=1, default=str) for name, body in gathered.items()}
    return {**parts, "packages.txt": bundle.packages(), **_told_by_gateway(), **bundle.logs(settings.logs_dir)}


def _told_by_gateway() -> dict[str, str]:
    """Return what the gateway says of itself, or why it says nothing."""
    from atoll.cli.client import connect

    told = {}
    for name, place in (("ready.json", "/health/ready"), ("metrics.txt", "/metrics")):
        try:
            with connect() as client:
                told[name] = client.download(place).decode("utf-8", errors="replace")
        except AtollError as error:
            told[name] = error.message
    return told


def _of_compose() -> dict[str, str]:
    return {name: _said(command) for name, command in _COMPOSE.items()}


def _said(command: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            command, capture_output=True, text=True, check=False, timeout=_COMPOSE_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {type(error).__name__}"
    return done.stdout + done.stderr


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield the secrets of this installation: the contents of their files, and values that were set themselves."""
    from atoll.local import environment

    yield from environment.secret_values(settings)
    folders = (settings.run_dir, settings.data_dir / "secrets", settings.compose.secrets_dir)
    held = [settings.owner_key_path, settings.admin_key_path, settings.pepper_path]
    held += [path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file()]
    held += [path for path in environment.secret_files(settings) if path.is_file()]
    for path in held:
        if path.suffix not in {".json", ".lock", ".yaml", ".acl", ".conf", ".alive"} and path.is_file():
            yield path.read_text(encoding="utf-8", errors="replace").strip()
