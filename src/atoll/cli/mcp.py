"""mcp: an agent's way to Atoll by standard input and output."""

from __future__ import annotations

import click


@click.command("mcp")
@click.option("--stdio", is_flag=True, help="Speak by standard input and output; there is no other way yet.")
def mcp(stdio: bool) -> None:
    """Forward the Model Context Protocol from standard input and output to the gateway, with its key.

    For agents that start a program of their own; others use the gateway's address with /mcp behind it.
    """
    del stdio
    import asyncio

    from atoll.cli.client import connect
    from atoll.cli.mcp_forward import forward

    with connect() as client:
        client.get("/v1/kbs", limit=1)  # says in our words that nobody answers, or that the key is not good
        asyncio.run(forward(client.address, client.key))
