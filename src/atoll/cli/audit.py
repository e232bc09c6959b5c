"""audit: who did what, and whether that was changed afterwards."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from atoll.cli import options, render


@click.group()
def audit() -> None:
    """Look at the audit trail of the tenant; --admin: at what admins did to tenants."""


@audit.command("list")
@click.option("--since", type=click.DateTime(("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d")), help="Only events from then on.")
@click.option("--action", help="Only this action, such as document.deleted.")
@click.option("--actor", help="Only what this subject did, such as key:ID.")
@click.option("--admin", is_flag=True, help="With the admin key.")
@options.as_json
def list_events(since: datetime | None, action: str | None, actor: str | None, admin: bool, as_json: bool) -> None:
    """List what was done, oldest first."""
    from atoll.cli.client import connect

    moment = None if since is None else since.astimezone().isoformat()
    with connect(admin=admin) as client:
        body = client.collect("/v1/audit", "events", since=moment, action=action, actor=actor)
    if as_json:
        render.as_json(body)
        return
    render.table(
        ("at", "actor", "action", "object", "result"),
        (tuple(each[name] for name in ("at", "actor", "action", "object", "result")) for each in body["events"]),
    )


@audit.command("verify")
@click.option("--seal", metavar="SEAL", help="A seal that an earlier run printed and that was kept elsewhere.")
@click.option("--admin", is_flag=True, help="With the admin key.")
@options.as_json
def verify_events(seal: str | None, admin: bool, as_json: bool) -> None:
    """Tell whether events were changed or taken out since they were sealed; exit code 4 if so.

    Note the seal that is printed outside this machine: only a seal from elsewhere shows that the newest events were
    taken out together with their seals.
    """
    from atoll.cli.client import connect

    with connect(admin=admin) as client:
        body = client.get("/v1/audit/verify", seal=seal)
    if as_json:
        render.as_json(body)
    else:
        _tell(body)
    if not body["is_intact"]:
        sys.exit(4)


def _tell(body: dict[str, object]) -> None:
    if body["is_intact"]:
        click.echo(f"intact: {body['sealed']} of {body['events']} events are sealed, the others are newer")
    elif body["is_known"] is False:
        click.echo("not intact: the trail has no such seal")
    else:
        click.echo(f"not intact: what seal {body['broken_seal']} covers was changed")
    if body["seal"]:
        click.echo(f"seal    {body['seal']}")
