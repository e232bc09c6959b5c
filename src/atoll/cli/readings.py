"""Shows what a document was read into, and what was left out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from atoll.cli.render import counted, plain


def passages(body: Mapping[str, Any]) -> None:
    """Print the passages of a document in order."""
    for passage in body["passages"]:
        headings = " > ".join(passage["headings"])
        click.echo(plain(f"[{passage['ordinal']}] page {passage['page']}{f', {headings}' if headings else ''}"))
        for line in passage["text"].split("\n"):
            click.echo(f"    {plain(line)}")
    click.echo(counted(len(body["passages"]), "passage"))


def skipped(body: Mapping[str, Any]) -> None:
    """Print what is in no passage of a document."""
    for item in body["items"]:
        place = "no page" if item["page"] is None else f"page {item['page']}"
        click.echo(f"{item['type']:<16} {place:<9} {plain(item['text'])}".rstrip())
    shown, total = len(body["items"]), body["total"]
    click.echo(f"the first {shown} of {total} left out" if shown < total else f"{total} left out")
