"""documents: list, show, label, edit, delete, retry, cancel, reprocess."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from atoll.cli import options, render
from atoll.errors import AtollError

_STAGES = ("parse", "chunk", "extract", "embed", "store")
_STATUSES = ("queued", "processing", "ready", "failed", "quarantined", "cancelled")


@click.group()
def documents() -> None:
    """Look at, change and remove documents. DOC is a document's id or its name."""


@documents.command("list")
@click.option("--status", type=click.Choice(_STATUSES))
@click.option("--name", help="Only documents of this name.")
@click.option("--read-by", type=click.Choice(["older"]), help="Only documents that an older pipeline read.")
@click.option("--warning", help="Only documents that carry a warning of this type.")
@click.option("--source", help="Only documents at this source or below it.")
@click.option("--label", help="Only documents that have this label.")
@options.kb
@options.as_json
def list_documents(
    status: str | None,
    name: str | None,
    read_by: str | None,
    warning: str | None,
    source: str | None,
    label: str | None,
    kb: str,
    as_json: bool,
) -> None:
    """List the documents of a knowledge base."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        chosen = {
            "status": status, "name": name, "read_by": read_by, "warning": warning, "source": source, "label": label
        }  # fmt: skip
        body = client.collect(kb_path(kb, "documents"), "documents", **chosen)
    (render.as_json if as_json else render.documents)(body)


@documents.command("show")
@click.argument("document", metavar="DOC")
@click.option("--passages", is_flag=True, help="Show what it was read into.")
@click.option("--skipped", is_flag=True, help="Show what was found in it and left out, and why.")
@options.kb
@options.as_json
def show_document(document: str, passages: bool, skipped: bool, kb: str, as_json: bool) -> None:
    """Show a document and where its stages stand."""
    from atoll.cli import readings
    from atoll.cli.client import connect, find_document, kb_path

    if passages and skipped:
        raise click.UsageError("give either --passages or --skipped")
    with connect() as client:
        body = find_document(client, kb, document)
        show: Callable[[Mapping[str, Any]], None] = render.document
        place = kb_path(kb, "documents", body["id"])
        if passages:
            body, show = client.collect(f"{place}/passages", "passages"), readings.passages
        elif skipped:
            body, show = client.get(f"{place}/skipped"), readings.skipped
    (render.as_json if as_json else show)(body)


@documents.command("label")
@click.argument("document", metavar="DOC")
@click.option("--set", "only", metavar="A,B", help="These labels and no others; '' is none.")
@click.option("--add", "added", multiple=True, metavar="LABEL", help="One more label; repeatable.")
@click.option("--remove", "removed", multiple=True, metavar="LABEL", help="One label less; repeatable.")
@options.kb
@options.as_json
def label_document(
    document: str, only: str | None, added: tuple[str, ...], removed: tuple[str, ...], kb: str, as_json: bool
) -> None:
    """Change who sees a document: only keys that hold all its labels do, from the moment when this returns."""
    from atoll.cli.client import connect, find_document, kb_path

    if (only is None) == (not added and not removed):
        raise click.UsageError("give either --set, or --add and --remove")
    with connect() as client:
        found = find_document(client, kb, document)
        labels = set(found["labels"] if only is None else only.split(","))
        missing = sorted(set(removed) - labels)
        if missing:
            raise AtollError(f"{found['name']} does not have the label {', '.join(missing)}")
        wanted = sorted((labels | set(added)) - set(removed))
        body = client.patch(kb_path(kb, "documents", found["id"]), {"labels": wanted})
    if as_json:
        render.as_json(body)
        return
    before, after = (", ".join(each["labels"]) or "none" for each in (found, body))
    click.echo(render.plain(f"{render.snippet(body['name'])}: labels {after} (before: {before})"))


@documents.command("edit")
@click.argument("document", metavar="DOC")
@click.option("--name", help="What it is called from now on.")
@click.option("--source", help="Where it comes from; '' is nowhere.")
@click.option("--metadata", type=options.PAIR, multiple=True, help="NAME=VALUE to set beside the others; repeatable.")
@options.kb
@options.as_json
def edit_document(
    document: str, name: str | None, source: str | None, metadata: tuple[tuple[str, Any], ...], kb: str, as_json: bool
) -> None:
    """Change name, source or metadata of a document without reading it again."""
    from atoll.cli.client import connect, find_document, kb_path

    wanted: dict[str, Any] = {key: value for key, value in (("name", name), ("source", source)) if value is not None}
    if not wanted and not metadata:
        raise click.UsageError("give --name, --source or --metadata")
    with connect() as client:
        found = find_document(client, kb, document)
        if metadata:
            wanted["metadata"] = {**found["metadata"], **dict(metadata)}
        body = client.patch(kb_path(kb, "documents", found["id"]), wanted)
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


@documents.command("reprocess")
@click.argument("named", metavar="[DOC]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All documents that are ready.")
@click.option("--from", "stage", type=click.Choice(_STAGES), help="The first stage whose output is made anew.")
@options.password_file
@options.kb
@options.as_json
def reprocess_documents(
    named: tuple[str, ...], every: bool, stage: str | None, password_file: Path | None, kb: str, as_json: bool
) -> None:
    """Read documents again; until that is done everybody sees them as they are.

    Passwords are forgotten once a file is read: a file that is encrypted is only read again with --password-file.
    Without it the document stays as it is, and `atoll documents show` says why.
    """
    if bool(named) == every:
        raise click.UsageError("name documents, or give --all")
    from atoll.cli.client import connect
    from atoll.cli.reprocess import reprocess

    with connect() as client:
        queued = reprocess(client, kb, named, stage, options.first_line(password_file))
    if as_json:
        render.as_json({"documents": queued.documents})
        return
    for name, reason in queued.left:
        click.echo(f"left out: {render.snippet(name)}: {render.plain(reason)}")
    click.echo(f"documents that are read again: {len(queued.documents)}")


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
