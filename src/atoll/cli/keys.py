"""keys: who may do what."""

from __future__ import annotations

import json
from datetime import datetime

import click

from atoll.cli import options, render

_ROLES = ("owner", "editor", "reader", "auditor")


@click.group()
def keys() -> None:
    """Make and revoke API keys."""


@keys.command("list")
@options.as_json
def list_keys(as_json: bool) -> None:
    """List the keys of the tenant; secrets are kept nowhere."""
    from atoll.cli.client import connect

    with connect() as client:
        body = client.collect("/v1/keys", "keys")
    if as_json:
        render.as_json(body)
        return
    render.table(
        ("id", "name", "role", "knowledge bases", "labels", "last used", "revoked"),
        (
            (
                item["id"],
                item["name"],
                item["role"],
                _scope(item["kbs"]),
                _scope(item["labels"]),
                item["last_used_at"],
                item["revoked_at"],
            )
            for item in body["keys"]
        ),
    )


@keys.command("create")
@click.argument("name")
@click.option("--role", type=click.Choice(_ROLES), default="reader", show_default=True)
@click.option("--kb", "kbs", multiple=True, metavar="NAME", help="Knowledge base it may use, repeatable; default all.")
@click.option("--label", "labels", multiple=True, help="Label it may see, repeatable; default all.")
@click.option("--expires-at", type=click.DateTime(("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d")), help="Default: never.")
@options.as_json
def create_key(
    name: str,
    role: str,
    kbs: tuple[str, ...],
    labels: tuple[str, ...],
    expires_at: datetime | None,
    as_json: bool,
) -> None:
    """Make a key; its secret is shown once."""
    from atoll.cli.client import connect

    body = {
        "name": name,
        "role": role,
        "kbs": list(kbs) or "*",
        "labels": list(labels) or "*",
        "expires_at": expires_at.astimezone().isoformat() if expires_at else None,
    }
    with connect() as client:
        made = client.post("/v1/keys", body)
    if as_json:
        render.as_json(made)
        return
    click.echo(f"id      {made['id']}")
    click.echo(f"secret  {made['secret']}")
    click.echo("The secret is not shown again.", err=True)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@options.as_json
def revoke_key(key_id: str, as_json: bool) -> None:
    """Revoke a key: it stops working at once."""
    from urllib.parse import quote

    from atoll.cli.client import connect

    with connect() as client:
        body = client.delete(f"/v1/keys/{quote(key_id, safe='')}")
    if as_json:
        render.as_json(body)
    else:
        click.echo(f"revoked {key_id}")


def _scope(value: object) -> str:
    return "all" if value == "*" else json.dumps(value) if not isinstance(value, list) else ", ".join(value)
