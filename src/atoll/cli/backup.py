"""backup: take one, check it, restore it."""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ParamSpec

import click

from atoll.cli import options, render
from atoll.errors import AtollError, StorageFull

if TYPE_CHECKING:
    from atoll.backup.layout import Manifest

P = ParamSpec("P")

_CHECKSUM_EXIT, _SPACE_EXIT = 4, 6

_STREAM = Path("-")

_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path, allow_dash=True))


def _with_exit_codes(command: Callable[P, None]) -> Callable[P, None]:
    """Let a command end with 4 for a damaged part and 6 for a full disk, each with one line."""

    @functools.wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        from atoll.backup.layout import ChecksumMismatch

        try:
            command(*arguments, **named)
        except (ChecksumMismatch, StorageFull) as error:
            click.echo(f"atoll: {render.plain(error.message)}", err=True)
            sys.exit(_SPACE_EXIT if isinstance(error, StorageFull) else _CHECKSUM_EXIT)
        except OSError as error:
            raise AtollError(f"{error.filename}: {error.strerror}") from error

    return run


@click.group()
def backup() -> None:
    """Copy everything out, check the copy, and fill an empty installation with it.

    A backup is a folder, the same from every record store, so that it is also the way from one store to another. It
    holds no secrets: keep `secrets/pepper` of the data directory as well if keys are to work after a restore.
    """


@backup.command("create")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Default: atoll-backup-<time>, in this folder; - writes one stream (tar).",
)
@options.as_json
@_with_exit_codes
def create(output: Path | None, as_json: bool) -> None:
    """Take a backup, while Atoll goes on working.

    Exit codes: 0 done, 1 failed, 6 no space.
    """
    from atoll import settings
    from atoll.bootstrap import installation

    if output == _STREAM:
        from atoll.backup.stream import pack

        values = settings.load()
        with TemporaryDirectory(dir=values.data_dir) as space, _progress(silent=True) as on_document:
            asyncio.run(installation.take_backup(values, Path(space, "backup"), on_document))
            pack(Path(space, "backup"), sys.stdout.buffer)
        return
    folder = output or Path(f"atoll-backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    with _progress(silent=as_json) as on_document:
        manifest = asyncio.run(installation.take_backup(settings.load(), folder, on_document))
    _tell(folder, manifest, as_json=as_json)


@backup.command("verify")
@_folder
@options.as_json
@_with_exit_codes
def verify(folder: Path, as_json: bool) -> None:
    """Check every byte of a backup.

    Exit codes: 0 it is as written, 1 it cannot be read, 4 a part is damaged, missing or foreign (its name is printed).
    """
    from atoll.backup.verify import verify as check

    _tell(folder, check(folder), as_json=as_json)


@backup.command("restore")
@_folder
@options.as_json
@_with_exit_codes
def restore(folder: Path, as_json: bool) -> None:
    """Fill an empty installation with a backup; one that is in use is refused. As FOLDER, - reads one stream (tar).

    An owner key is written unless there is one. Workers rebuild the vector index once Atoll is up. A restore that
    was broken off is begun again by the same command.

    Exit codes: 0 done, 1 failed, 4 the backup is damaged, 6 no space.
    """
    from atoll import settings
    from atoll.bootstrap import installation

    values = settings.load()
    with ExitStack() as ends:
        if folder == _STREAM:
            from atoll.backup.stream import unpack

            values.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = Path(ends.enter_context(TemporaryDirectory(dir=values.data_dir)))
            unpack(sys.stdin.buffer, folder)
        on_document = ends.enter_context(_progress(silent=as_json))
        manifest, keys_hold = asyncio.run(installation.restore_backup(values, folder, on_document))
    _tell(folder, manifest, as_json=as_json, keys_hold=keys_hold, owner_key=str(values.owner_key_path.absolute()))
    if not as_json and not keys_hold:
        click.echo(
            "the keys of the backup were made with another pepper and are left out; everything else is restored. To "
            f"have the keys as well: put the old installation's secrets/pepper at {values.pepper_path.absolute()} of "
            "another, empty data directory (ATOLL_DATA_DIR) and restore there",
            err=True,
        )


@contextmanager
def _progress(*, silent: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show bars on a terminal, a line a knowledge base elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    tasks: dict[str, Any] = {}
    with Progress(console=console, disable=silent or not console.is_terminal, transient=True) as bars:

        def on_document(kb: str, done: int, total: int) -> None:
            if kb not in tasks:
                tasks[kb] = bars.add_task(kb, total=total)
            bars.update(tasks[kb], completed=done, total=total)

        yield on_document


def _tell(folder: Path, manifest: Manifest, *, as_json: bool, **more: Any) -> None:
    if as_json:
        kbs = [
            {"name": kb.name, "revision": kb.revision, "documents": kb.documents, "passages": kb.passages}
            for kb in manifest.kbs
        ]
        body = {"folder": str(folder.absolute()), "created_at": manifest.created_at, "atoll": manifest.atoll}
        render.as_json({**body, "kbs": kbs, **more})
        return
    click.echo(f"{folder}  taken {manifest.created_at} by Atoll {manifest.atoll}")
    render.table(
        ("kb", "revision", "documents", "passages"),
        ((kb.name, kb.revision, kb.documents, kb.passages) for kb in manifest.kbs),
    )
    if "owner_key" in more:
        click.echo(f"owner key: {more['owner_key']}")
