"""doctor: look closely at one side of a running stack."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from atoll.cli import options, render
from atoll.errors import BadInput, NotAvailable
from atoll.ops import egress as probes


@click.group()
def doctor() -> None:
    """Look closely at one side of the running container stack."""


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
