"""ingest: files and folders into a knowledge base."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atoll.cli import options, render
from atoll.errors import BadInput

if TYPE_CHECKING:
    from atoll.cli.client import Client
    from atoll.cli.progress import Board
    from atoll.cli.sources import Skipped, Source
    from atoll.cli.uploads import Outcome

_TIMEOUT_SECONDS = 3600.0
_SHOWN_NAMESAKES = 5


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What the folders in documents' sources are relative to.  [default: each PATH]",
)
@click.option("--label", "labels", multiple=True, help="Only keys with this label see the documents; repeatable.")
@click.option("--metadata", type=options.PAIR, multiple=True, help="NAME=VALUE to filter by; repeatable.")
@click.option("--replace", is_flag=True, help="Replace documents of the same place once the new ones are ready.")
@options.password_file
@click.option("--wait/--no-wait", "wait", default=True, help="Wait until each is ready or failed.  [default: wait]")
@click.option(
    "--timeout", "timeout_seconds", default=_TIMEOUT_SECONDS, show_default=True, help="Longest wait, seconds."
)
@click.option("--strict", is_flag=True, help="Exit 1, too, when a folder holds a file that Atoll does not read.")
@click.option("--sync", is_flag=True, help="Make the knowledge base hold what the folder PATH holds, and nothing else.")
@click.option("--watch", is_flag=True, help="With --sync: go on, and follow whenever the folder changes.")
@click.option("--dry-run", is_flag=True, help="With --sync: say what it would do, and do nothing.")
@click.option(
    "--accept-deletes",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --sync: so many documents may go at once.  [default: a fifth of them]",
)
@click.option("--estimate", "only_estimate", is_flag=True, help="Say what it would take, and send nothing.")
@options.kb
@options.as_json
def ingest(
    paths: tuple[Path, ...],
    root: Path | None,
    labels: tuple[str, ...],
    metadata: tuple[tuple[str, Any], ...],
    replace: bool,
    password_file: Path | None,
    wait: bool,
    timeout_seconds: float,
    strict: bool,
    sync: bool,
    watch: bool,
    dry_run: bool,
    accept_deletes: int | None,
    only_estimate: bool,
    kb: str,
    as_json: bool,
) -> None:
    """Add files and folders, and wait until each can be asked about.

    What is already there is skipped; labels and metadata that are given hold for it, too. A file's folder, relative to
    the PATH or to --root, is its source: files of one name in different folders are different documents, and source and
    name are a document's place. Hidden files and links inside folders are left out. In folders, files of formats that
    Atoll does not read are told and passed over; a file that is named itself must be read. Exits 1 if any file failed.

    With --sync the knowledge base mirrors the folder: new and changed files are sent, documents of moved files move,
    and those whose files are gone are deleted. With --root, documents whose source lies outside the folder stay.
    """
    fields = _fields(labels, dict(metadata), replace=replace or sync, password=options.first_line(password_file))
    _check(paths, sync=sync, only_with_sync=watch or dry_run or accept_deletes is not None)
    if sync:
        from atoll.cli.sync.command import Wanted, mirror

        wanted = Wanted(paths[0], root or paths[0], fields, dry_run, accept_deletes, wait, timeout_seconds, as_json)
        mirror(kb, wanted, watch=watch)
        return
    from atoll.cli.client import connect, kb_path
    from atoll.cli.sources import Skipped, Source, find

    found = list(find(paths, root))
    sources = [item for item in found if isinstance(item, Source)]
    skipped = [item for item in found if isinstance(item, Skipped)]
    if replace:
        _refuse_ambiguity(sources)
    with connect() as client:
        client.get(kb_path(kb))  # fails at once when nobody is there, the key is wrong or there is no such place
        if only_estimate:
            _estimate(client, kb, sources, as_json=as_json)
            return
        outcomes = _send(client, kb, sources, fields, wait=wait, timeout_seconds=timeout_seconds, quiet=as_json)
    if as_json:
        render.as_json(_body(outcomes))
    else:
        _summary(outcomes, skipped)
        _tell_namesakes(outcomes)
    if any(_failed(outcome, strict=strict) for outcome in outcomes) or any(item.failed for item in skipped):
        click.get_current_context().exit(1)


def _send(
    client: Client,
    kb: str,
    sources: Sequence[Source],
    fields: dict[str, str],
    *,
    wait: bool,
    timeout_seconds: float,
    quiet: bool,
) -> list[Outcome]:
    from atoll.cli.uploads import Uploads

    watcher = _board(len(sources), quiet=quiet)
    uploads = Uploads(client, kb, fields=fields, watcher=watcher, timeout_seconds=timeout_seconds, wait=wait)
    outcomes: list[Outcome] = []
    try:
        with watcher:
            for outcome in uploads.run(sources):
                outcomes.append(outcome)
                watcher.ended(outcome)
    except KeyboardInterrupt:
        _tell_how_far(outcomes, uploads.accepted, len(sources))
        raise
    return outcomes


def _check(paths: Sequence[Path], *, sync: bool, only_with_sync: bool) -> None:
    """Refuse what cannot be meant. A mirror's folder that is not there is no wrong usage: its drive may be away."""
    if only_with_sync and not sync:
        raise click.UsageError("--watch, --dry-run and --accept-deletes go with --sync")
    if sync and (len(paths) > 1 or paths[0].is_file()):
        raise click.UsageError("--sync takes one PATH, a folder")
    for path in () if sync else paths:
        if not path.exists():
            raise click.BadParameter(f"Path '{path}' does not exist.", param_hint="'PATH...'")


def _estimate(client: Client, kb: str, sources: Sequence[Source], *, as_json: bool) -> None:
    import shutil

    from atoll import settings as configuration
    from atoll.cli.estimate import estimate, experience, show

    data_dir = configuration.load().data_dir
    here = data_dir if (data_dir / "blobs").is_dir() else None
    free_bytes = shutil.disk_usage(here).free if here is not None else None
    found = estimate(sources, experience(client, kb, here), free_bytes)
    if as_json:
        render.as_json(found.body())
    else:
        show(found)


def _board(total: int, *, quiet: bool) -> Board:
    from atoll.cli.progress import Silence, board

    return Silence() if quiet else board(total)


def _fields(labels: Sequence[str], metadata: dict[str, Any], *, replace: bool, password: str | None) -> dict[str, str]:
    fields = {"replace": "true" if replace else "false"}
    if labels:
        fields["labels"] = ",".join(labels)
    if metadata:
        fields["metadata"] = json.dumps(metadata, ensure_ascii=False)
    if password is not None:
        fields["password"] = password
    return fields


def _refuse_ambiguity(sources: Sequence[Source]) -> None:
    """Refuse files of one source and name from several paths: with --replace each would replace the one before it.

    Raises:
        BadInput: there are such files.
    """
    twice = [place for place, count in Counter(source.place for source in sources).items() if count > 1]
    if twice:
        shown = ", ".join(render.snippet(place, 80) for place in twice[:5])
        raise BadInput(
            f"--replace goes by source and name, and these come more than once: {shown}; say with --root DIR what "
            "paths are relative to"
        )


def _failed(outcome: Outcome, *, strict: bool) -> bool:
    from atoll.cli.uploads import Ending

    unread = outcome.ending is Ending.UNSUPPORTED and (outcome.source.asked or strict)
    return outcome.ending is Ending.FAILED or unread


def _tell_how_far(outcomes: Sequence[Outcome], accepted: int, total: int) -> None:
    ended = sum(outcome.document is not None for outcome in outcomes)
    click.echo(
        f"stopped: Atoll has taken {accepted} of {render.counted(total, 'file')}; of these {ended} had ended, and the "
        "work on the others goes on (`atoll documents list`). Run this again to send the rest",
        err=True,
    )


def _summary(outcomes: Sequence[Outcome], skipped: Sequence[Skipped]) -> None:
    for item in skipped:
        click.echo(f"{'failed' if item.failed else 'skipped':<13} {render.plain(str(item.path))}: {item.reason}")
    for outcome in outcomes:
        if outcome.applied:
            click.echo(f"{'changed':<13} {render.plain(outcome.source.place)}: {', '.join(outcome.applied)}")
    counts = Counter(str(outcome.ending) for outcome in outcomes)
    if skipped:
        counts["skipped"] = len(skipped)
    told = ", ".join(f"{count} {ending}" for ending, count in counts.items())
    click.echo(f"{render.counted(len(outcomes), 'file')}: {told}" if told else "0 files: nothing to ingest")


def _tell_namesakes(outcomes: Sequence[Outcome]) -> None:
    """Say which files have a name that stands at another source, too: nobody guesses whether they are meant."""
    told = [(outcome.source, each) for outcome in outcomes for each in outcome.namesakes]
    if not told:
        return
    for source, each in told[:_SHOWN_NAMESAKES]:
        elsewhere = "without a source" if each["source"] is None else f"under {each['source']}"
        line = f"{source.place}: {each['name']} stands {elsewhere}, too (document {each['document_id']})"
        click.echo(f"{'note':<13} {render.plain(line)}")
    if len(told) > _SHOWN_NAMESAKES:
        click.echo(f"{'note':<13} and {len(told) - _SHOWN_NAMESAKES} more")
    click.echo(
        f"{'note':<13} documents at another source were not replaced; --root DIR says what paths are relative to, "
        "`atoll documents edit DOC --source ...` moves one"
    )


def _body(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the upload's answer over all files, plus what was not accepted."""
    return {
        "documents": [outcome.document for outcome in outcomes if outcome.document is not None],
        "duplicates": [
            {"name": outcome.source.name, "document_id": outcome.document["id"], "applied": list(outcome.applied)}
            for outcome in outcomes
            if outcome.applied is not None and outcome.document is not None
        ],
        "namesakes": [dict(each) for outcome in outcomes for each in outcome.namesakes],
        "rejected": [
            {"name": outcome.source.name, "reason": outcome.reason} for outcome in outcomes if outcome.document is None
        ],
    }
