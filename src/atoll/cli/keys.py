"""keys: who may do what."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from atoll.cli import options, render

_ROLES = ("owner", "editor", "reader", "auditor")
_TIME = click.DateTime(("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"))


@click.group()
def keys() -> None:
    """Make, change and revoke API keys."""


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
@click.option("--expires-at", type=_TIME, help="Default: never.")
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


@keys.command("show")
@click.argument("key_id", metavar="ID")
@options.as_json
def show_key(key_id: str, as_json: bool) -> None:
    """Show a key without its secret."""
    from atoll.cli.client import connect

    with connect() as client:
        _show(client.get(_path(key_id)), as_json=as_json)


@keys.command("change")
@click.argument("key_id", metavar="ID")
@click.option("--name")
@click.option("--role", type=click.Choice(_ROLES))
@click.option("--kb", "kbs", multiple=True, metavar="NAME", help="Knowledge base it may use, repeatable.")
@click.option("--all-kbs", is_flag=True, help="It may use all knowledge bases.")
@click.option("--label", "labels", multiple=True, help="Label it may see, repeatable.")
@click.option("--all-labels", is_flag=True, help="It may see all labels.")
@click.option("--expires-at", type=_TIME)
@click.option("--never-expires", is_flag=True)
@options.as_json
def change_key(
    key_id: str,
    name: str | None,
    role: str | None,
    kbs: tuple[str, ...],
    all_kbs: bool,
    labels: tuple[str, ...],
    all_labels: bool,
    expires_at: datetime | None,
    never_expires: bool,
    as_json: bool,
) -> None:
    """Change a key from its next request on; its secret stays."""
    from atoll.cli.client import connect

    if (kbs and all_kbs) or (labels and all_labels) or (expires_at and never_expires):
        raise click.UsageError("give one of --kb and --all-kbs, of --label and --all-labels, of the two ends")
    asked: dict[str, Any] = {
        "name": name,
        "role": role,
        "kbs": "*" if all_kbs else list(kbs) or None,
        "labels": "*" if all_labels else list(labels) or None,
        "expires_at": expires_at.astimezone().isoformat() if expires_at else None,
    }
    changes = {field: value for field, value in asked.items() if value is not None}
    if never_expires:
        changes["expires_at"] = None
    if not changes:
        raise click.UsageError("nothing to change: see `atoll keys change --help`")
    with connect() as client:
        _show(client.patch(_path(key_id), changes), as_json=as_json)


@keys.command("revoke")
@click.argument("key_id", metavar="ID")
@options.as_json
def revoke_key(key_id: str, as_json: bool) -> None:
    """Revoke a key: it stops working at once."""
    from atoll.cli.client import connect

    with connect() as client:
        body = client.delete(_path(key_id))
    if as_json:
        render.as_json(body)
    else:
        click.echo(f"revoked {key_id}")


def _path(key_id: str) -> str:
    from urllib.parse import quote

    return f"/v1/keys/{quote(key_id, safe='')}"


def _show(item: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        render.as_json(item)
        return
    for field, value in item.items():
        if value is not None:
            click.echo(f"{field:<12} {render.plain(_scope(value) if isinstance(value, list) else str(value))}")


def _scope(value: object) -> str:
    return "all" if value == "*" else json.dumps(value) if not isinstance(value, list) else ", ".join(value)
