"""events, batch: documents as they change, and what became of one upload."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import click

from atoll.cli import options, render


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@options.kb
def events(kb: str, as_json: bool) -> None:
    """Follow the documents of a knowledge base as they change, until Ctrl-C."""
    from atoll.cli.client import connect, kb_path

    with connect() as client, contextlib.suppress(KeyboardInterrupt):
        for name, told in client.events(kb_path(kb, "events")):
            if name != "heartbeat":
                click.echo(json.dumps({"event": name, "data": told}) if as_json else _line(name, told))


@click.command()
@click.argument("batch_id", metavar="ID")
@options.kb
@options.as_json
def batch(batch_id: str, kb: str, as_json: bool) -> None:
    """Show what became of the documents of one upload."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        body = client.get(kb_path(kb, "batches", batch_id))
    if as_json:
        render.as_json(body)
        return
    render.documents(body)
    if body["eta_seconds"] is not None:
        click.echo(f"ready in about {body['eta_seconds']:.0f} s")


def _line(name: str, told: dict[str, Any]) -> str:
    if name != "document":
        return f"{told['id']}  {name}"
    reason = f": {render.failure(told)}" if told.get("error") else ""
    return f"{told['id']}  {told['status']:<11} {render.snippet(told['name'], 100)}{reason}"
