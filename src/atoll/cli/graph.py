"""graph: look at an entity, write the whole graph to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from atoll.cli import options, render
from atoll.errors import AtollError, NotFound

_FORMATS = ("graphml", "jsonl")
_CANDIDATES = 10


@click.group()
def graph() -> None:
    """Look at the knowledge graph."""


@graph.command("show")
@click.argument("name")
@click.option("--hops", type=click.IntRange(1, 3), default=1, show_default=True, help="How far to look around.")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="Most entities around.")
@options.kb
@options.as_json
def show(name: str, hops: int, limit: int, kb: str, as_json: bool) -> None:
    """Show an entity (a name or an id): where it is mentioned, and what surrounds it."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        found = _find(client, kb, name)
        detail = client.get(kb_path(kb, "graph", "entities", found))
        near = client.get(kb_path(kb, "graph", "entities", found, "neighbourhood"), hops=hops, limit=limit)
    if as_json:
        render.as_json({**detail, "neighbourhood": near})
        return
    render.entity(detail, near)


@graph.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: standard output.")
@click.option("--format", "format_", type=click.Choice(_FORMATS), default="graphml", show_default=True)
@options.kb
def export(output: Path | None, format_: str, kb: str) -> None:
    """Write the graph that the key may see: GraphML, or one JSON object a line."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        pieces = client.stream(kb_path(kb, "graph", "export"), format=format_)
        if output is None:
            sys.stdout.buffer.writelines(pieces)
            return
        # Whole or not at all: half a graph looks like a graph.
        draft = output.with_name(f"{output.name}.partial")
        try:
            with draft.open("wb") as file:
                file.writelines(pieces)
            draft.replace(output)
        except OSError as error:
            raise AtollError(f"cannot write {output}: {error.strerror}") from error
        finally:
            draft.unlink(missing_ok=True)
    click.echo(str(output))


def _find(client: Any, kb: str, name: str) -> str:
    """Return the id of the entity that is called so; an id stands for itself.

    Raises:
        NotFound: nothing is called so; the message names what is called nearly so.
    """
    from atoll.cli.client import kb_path

    found = client.get(kb_path(kb, "graph", "entities"), q=name, limit=500)["entities"]
    for item in found:
        if item["name"] == name.lower():
            return str(item["id"])
    if not found and (known := _by_id(client, kb, name)):
        return known
    if len(found) == 1:
        return str(found[0]["id"])
    if not found:
        raise NotFound(f"no entity in {kb!r} is called {name!r}")
    names = ", ".join(repr(item["name"]) for item in found[:_CANDIDATES])
    raise NotFound(f"no entity in {kb!r} is called exactly {name!r}; there are {names}")


def _by_id(client: Any, kb: str, identity: str) -> str | None:
    from atoll.cli.client import Problem, kb_path

    try:
        return str(client.get(kb_path(kb, "graph", "entities", identity))["id"])
    except Problem:
        return None
