"""documents: list, show, delete, retry, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from atoll.cli import options, render

_STATUSES = ("queued", "processing", "ready", "failed", "quarantined", "cancelled")


@click.group()
def documents() -> None:
    """Look at and remove documents. DOC is a document's id or its name."""


@documents.command("list")
@click.option("--status", type=click.Choice(_STATUSES))
@click.option("--name", help="Only documents of this name.")
@click.option("--read-by", type=click.Choice(["older"]), help="Only documents that an older pipeline read.")
@click.option("--warning", help="Only documents that carry a warning of this type.")
@options.kb
@options.as_json
def list_documents(
    status: str | None, name: str | None, read_by: str | None, warning: str | None, kb: str, as_json: bool
) -> None:
    """List the documents of a knowledge base."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        chosen = {"status": status, "name": name, "read_by": read_by, "warning": warning}
        body = client.collect(kb_path(kb, "documents"), "documents", **chosen)
    (render.as_json if as_json else render.documents)(body)


@documents.command("show")
@click.argument("document", metavar="DOC")
@options.kb
@options.as_json
def show_document(document: str, kb: str, as_json: bool) -> None:
    """Show a document and where its stages stand."""
    from atoll.cli.client import connect, find_document

    with connect() as client:
        body = find_document(client, kb, document)
    (render.as_json if as_json else render.document)(body)


@documents.command("delete")
@click.argument("document", metavar="DOC")
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@options.kb
@options.as_json
def delete_document(document: str, dry_run: bool, kb: str, as_json: bool) -> None:
    """Delete a document: it is gone from every answer when this returns."""
    from atoll.cli.client import connect, find_document, kb_path

    with connect() as client:
        found = find_document(client, kb, document)
        receipt = client.delete(kb_path(kb, "documents", found["id"]), dry_run=True if dry_run else None)
    if as_json:
        render.as_json(receipt)
        return
    removed = ", ".join(f"{count} {what}" for what, count in receipt["removed"].items())
    verb = "would remove" if receipt["dry_run"] else "removed"
    click.echo(f"{render.snippet(found['name'])}: {verb} {removed}; {receipt['kept']['entities']} shared entities stay")


@documents.command("retry")
@click.argument("document", metavar="DOC")
@options.kb
@options.as_json
def retry_document(document: str, kb: str, as_json: bool) -> None:
    """Work on a failed, quarantined or cancelled document again."""
    _act("retry", document, kb, as_json=as_json)


@documents.command("cancel")
@click.argument("document", metavar="DOC")
@options.kb
@options.as_json
def cancel_document(document: str, kb: str, as_json: bool) -> None:
    """Stop the work on a document."""
    _act("cancel", document, kb, as_json=as_json)


def _act(action: str, document: str, kb: str, *, as_json: bool) -> None:
    from atoll.cli.client import connect, find_document, kb_path

    with connect() as client:
        found = find_document(client, kb, document)
        body = client.post(kb_path(kb, "documents", found["id"], action))
    if as_json:
        render.as_json(body)
        return
    now: Mapping[str, Any] = body if isinstance(body, dict) and "status" in body else found
    click.echo(f"{render.snippet(found['name'])}: {action} accepted ({now['status']})")
