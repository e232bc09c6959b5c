"""kb: knowledge bases."""

from __future__ import annotations

import json
from typing import Any

import click

from atoll.cli import options, render

_settings = click.option("--setting", "settings", type=options.PAIR, multiple=True, help="NAME=VALUE, repeatable.")
_quota = click.option("--quota", "quota", type=options.PAIR, multiple=True, help="NAME=VALUE, repeatable.")


@click.group()
def kb() -> None:
    """Make and change knowledge bases."""


@kb.command("list")
@options.as_json
def list_kbs(as_json: bool) -> None:
    """List the knowledge bases that the key may see."""
    from atoll.cli.client import connect

    with connect() as client:
        body = client.collect("/v1/kbs", "kbs")
    if as_json:
        render.as_json(body)
        return
    render.table(
        ("name", "language", "documents", "passages", "size", "created"),
        (
            (
                item["name"],
                item["language"],
                item["documents"],
                item["passages"],
                render.size(item["bytes"]),
                item["created_at"],
            )
            for item in body["kbs"]
        ),
    )


@kb.command("create")
@click.argument("name")
@click.option("--language", default="en", show_default=True, help="Language of the documents; und: none.")
@_settings
@_quota
@options.as_json
def create_kb(
    name: str, language: str, settings: tuple[tuple[str, Any], ...], quota: tuple[tuple[str, Any], ...], as_json: bool
) -> None:
    """Make a knowledge base."""
    from atoll.cli.client import connect

    body = {"name": name, "language": language, "settings": dict(settings), "quota": dict(quota)}
    with connect() as client:
        made = client.post("/v1/kbs", body)
    _show(made, as_json=as_json)


@kb.command("show")
@click.argument("name")
@options.as_json
def show_kb(name: str, as_json: bool) -> None:
    """Show a knowledge base."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        _show(client.get(kb_path(name)), as_json=as_json)


@kb.command("set")
@click.argument("name")
@_settings
@_quota
@options.as_json
def set_kb(name: str, settings: tuple[tuple[str, Any], ...], quota: tuple[tuple[str, Any], ...], as_json: bool) -> None:
    """Change a knowledge base; its language is fixed."""
    from atoll.cli.client import connect, kb_path

    asked: dict[str, Any] = {"settings": dict(settings), "quota": dict(quota)}
    changes = {field: value for field, value in asked.items() if value}
    if not changes:
        raise click.UsageError("nothing to set: give --setting or --quota")
    with connect() as client:
        _show(client.patch(kb_path(name), changes), as_json=as_json)


@kb.command("delete")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.as_json
def delete_kb(name: str, yes: bool, as_json: bool) -> None:
    """Delete a knowledge base with all its documents."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        if not yes:
            held = client.get(kb_path(name))["documents"]
            click.confirm(f"delete {name!r} with {held} documents?", abort=True, err=True)
        body = client.delete(kb_path(name))
    if as_json:
        render.as_json(body)
    else:
        click.echo(f"deleted {name}")


def _show(body: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        render.as_json(body)
        return
    for field, value in body.items():
        click.echo(f"{field:<11} {render.plain(value if isinstance(value, str) else json.dumps(value))}")
