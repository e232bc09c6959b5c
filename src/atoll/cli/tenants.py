"""tenants: who shares this installation; with the admin key that `atoll init --admin` makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from atoll.cli import options, render

_quota = click.option(
    "--quota",
    type=options.PAIR,
    multiple=True,
    metavar="NAME=VALUE",
    help="A limit (documents, bytes, queries_per_day), repeatable; one that is not named is none.",
)


@click.group()
def tenants() -> None:
    """Make, limit and suspend tenants. The admin key reads no document of theirs."""


@tenants.command("list")
@options.as_json
def list_tenants(as_json: bool) -> None:
    """List the tenants of the installation."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        body = client.collect("/v1/tenants", "tenants")
    if as_json:
        render.as_json(body)
        return
    render.table(
        ("name", "status", "quota", "created"),
        ((each["name"], each["status"], _limits(each["quota"]), each["created_at"]) for each in body["tenants"]),
    )


@tenants.command("create")
@click.argument("name")
@_quota
@options.as_json
def create_tenant(name: str, quota: tuple[tuple[str, Any], ...], as_json: bool) -> None:
    """Make a tenant; its first owner key is shown once."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        made = client.post("/v1/tenants", {"name": name, "quota": dict(quota)})
    _show(made, as_json=as_json)
    if not as_json:
        click.echo("The owner key is not shown again.", err=True)


@tenants.command("show")
@click.argument("name")
@options.as_json
def show_tenant(name: str, as_json: bool) -> None:
    """Show a tenant."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        _show(client.get(_path(name)), as_json=as_json)


@tenants.command("quota")
@click.argument("name")
@click.argument("limits", nargs=-1, type=options.PAIR, metavar="[NAME=VALUE]...")
@options.as_json
def set_quota(name: str, limits: tuple[tuple[str, Any], ...], as_json: bool) -> None:
    """Set the quota of a tenant to these limits; without any it has none."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        _show(client.patch(_path(name), {"quota": dict(limits)}), as_json=as_json)


@tenants.command("suspend")
@click.argument("name")
@options.as_json
def suspend_tenant(name: str, as_json: bool) -> None:
    """Keep the keys of a tenant out, from the next request on; its documents stay."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        _show(client.post(_path(name, "suspend")), as_json=as_json)


@tenants.command("resume")
@click.argument("name")
@options.as_json
def resume_tenant(name: str, as_json: bool) -> None:
    """Let the keys of a tenant in again."""
    from atoll.cli.client import connect

    with connect(admin=True) as client:
        _show(client.post(_path(name, "resume")), as_json=as_json)


def _path(name: str, *action: str) -> str:
    from urllib.parse import quote

    return "/".join(["/v1/tenants", quote(name, safe=""), *action])


def _limits(quota: Mapping[str, int]) -> str:
    return ", ".join(f"{limit}={value}" for limit, value in quota.items()) or "none"


def _show(body: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        render.as_json(body)
        return
    for field, value in body.items():
        if value is not None:
            click.echo(f"{field:<12} {render.plain(value if isinstance(value, str) else json.dumps(value))}")
