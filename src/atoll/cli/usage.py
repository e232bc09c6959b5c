"""usage: how much the tenant holds and asks."""

from __future__ import annotations

import click

from atoll.cli import options, render


@click.command()
@click.option("--days", default=1, show_default=True, help="Queries of so many days, today among them.")
@options.as_json
def usage(days: int, as_json: bool) -> None:
    """Show what each knowledge base holds and how many queries it was asked."""
    from atoll.cli.client import connect

    with connect() as client:
        body = client.get("/v1/usage", days=days)
    if as_json:
        render.as_json(body)
        return
    click.echo(f"tenant {render.plain(body['tenant'])}")
    render.table(
        ("knowledge base", "documents", "passages", "size", "queries"),
        (
            (each["name"], each["documents"], each["passages"], render.size(each["bytes"]), each["queries"])
            for each in body["kbs"]
        ),
    )
