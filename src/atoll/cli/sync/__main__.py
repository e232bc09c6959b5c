"""Role ``watch``: keep a knowledge base in step with the folder that the settings name. ``python -m atoll.cli.sync``.

The same runs as ``atoll ingest FOLDER --sync --watch``, for a process that somebody supervises: nothing but wrong
settings ends it, and a folder, a knowledge base, a key or a gateway that is not there is waited for.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

import click

from atoll import settings
from atoll.cli import render
from atoll.cli.client import Client, connect
from atoll.cli.sync.command import Sync, Wanted, tell
from atoll.errors import AtollError, StartRefused

_BEAT_SECONDS = 5.0
_PAUSE_SECONDS = 5.0
#: Longest wait until a document that was sent is ready or has failed.
_TIMEOUT_SECONDS = 3600.0


def main() -> int:
    """Watch until the process is ended; return the exit code of a start that is refused."""
    try:
        values = settings.load()
    except StartRefused as refusal:
        return _refused(str(refusal))
    folder = values.watch.folder
    if folder is None:
        return _refused("ATOLL_WATCH__FOLDER names no folder to watch")
    if values.watch.heartbeat_file is not None:
        threading.Thread(target=_beat, args=(values.watch.heartbeat_file,), name="heartbeat", daemon=True).start()
    return watch(values, folder)


def _refused(reason: str) -> int:
    sys.stderr.write(f"watch: {reason}\n")
    return 1


def watch(values: settings.Settings, folder: Path) -> NoReturn:
    """Mirror the folder for ever."""
    labels = values.watch.labels
    fields = {"replace": "true", **({"labels": labels} if labels else {})}
    wanted = Wanted(
        folder,
        folder,
        fields,
        dry_run=False,
        accept_deletes=None,
        wait=True,
        timeout_seconds=_TIMEOUT_SECONDS,
        as_json=False,
    )
    click.echo(f"watching {render.plain(str(folder))} for knowledge base {values.watch.kb}")
    with _connected(values) as client:
        sync = Sync(client, values.watch.kb, wanted, look_seconds=values.watch.look_seconds)
        sync.for_ever(lambda done: tell(done, wanted, only_news=True))


def _connected(values: settings.Settings) -> Client:
    """Return a client of the gateway as soon as there is a key."""
    said = ""
    # A gateway answers to the names that it is known by, and in Compose that of its service need not be one.
    host = values.gateway.allowed_hosts.split(",")[0].strip()
    while True:
        try:
            return connect(key_file=values.watch.key_file, host=None if host == "*" else host)
        except AtollError as error:
            if error.message != said:
                said = error.message
                click.echo(f"watch: {render.plain(said)}", err=True)
            time.sleep(_PAUSE_SECONDS)


def _beat(file: Path) -> None:
    """Touch the file every few seconds: the sign of life of a process without a port."""
    while True:
        try:
            file.touch()
        except OSError as error:  # a full disk; the next one may go through
            sys.stderr.write(f"watch: {file} cannot be touched: {error.strerror}\n")
        time.sleep(_BEAT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
