"""open: a link that signs a browser in, once."""

from __future__ import annotations

import click

from atoll.cli import options, render


@click.command("open")
@options.as_json
def open_screen(as_json: bool) -> None:
    """Print a link that signs a browser in as the owner (or as ATOLL_API_KEY): once, within five minutes."""
    from atoll.cli.client import connect

    with connect() as client:
        body = client.post("/v1/session/links")
        # Behind the number sign, which browsers send to no server: the token stands in no log.
        address = f"{client.address}/link#{body['link']}"
    if as_json:
        render.as_json({**body, "url": address})
        return
    click.echo(address)
    click.echo("it signs one browser in, within five minutes", err=True)
