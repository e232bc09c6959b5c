"""init, up, down, status, logs: commands about the stack on this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atoll.cli import options, render
from atoll.errors import AtollError

if TYPE_CHECKING:
    from atoll.settings import Settings

_START_SECONDS = 120.0
_FOLLOW_SECONDS = 0.2


@click.command()
@click.option("--compose", is_flag=True, help="Make what the container stack needs on this host instead.")
@click.option("--offline", is_flag=True, help="With --compose: never pull an image.")
@click.option("--admin", is_flag=True, help="Also make the key that manages tenants, in <data>/admin.key.")
@click.option("--tls", "tls_names", multiple=True, metavar="NAME", help="With --compose: a certificate for NAME.")
@options.as_json
def init(compose: bool, offline: bool, admin: bool, tls_names: tuple[str, ...], as_json: bool) -> None:
    """Make the data directory: secrets, record store, default knowledge base, owner key.

    Does nothing to what exists. With --compose: the folder of secret files, .env and the owner key, for
    `docker compose up`; the stack makes the rest at its first start.

    With --admin also the admin key. There is one at a time: to replace it, remove the file and ask again.
    """
    settings = _settings()
    if compose:
        if admin:
            raise click.UsageError("there: docker compose run --rm setup python -m gateway.setup --admin")
        from atoll.cli import stack_init

        body = stack_init.prepare(settings, offline=offline, tls_names=tls_names)
        render.as_json(body) if as_json else stack_init.show(body)
        return
    if offline or tls_names:
        raise click.UsageError("--offline and --tls belong to --compose")
    made = _initialise(settings)
    made_admin = admin and _make_admin(settings)
    paths = {"data_dir": settings.data_dir.absolute(), "owner_key": settings.owner_key_path.absolute()}
    if admin:
        paths["admin_key"] = settings.admin_key_path.absolute()
    if as_json:
        render.as_json({"created": made, **{name: str(path) for name, path in paths.items()}})
        return
    click.echo(f"data directory  {paths['data_dir']}")
    click.echo(f"owner key       {paths['owner_key']}{'' if made else ' (was there)'}")
    if admin:
        click.echo(f"admin key       {paths['admin_key']}{'' if made_admin else ' (was there)'}")


@click.command()
@click.option("--local", is_flag=True, help="Start the stack on this machine, without containers.")
@click.option("--foreground", is_flag=True, help="Stay, and stop everything with Ctrl-C.")
@click.option("--timeout", "timeout_seconds", default=_START_SECONDS, show_default=True, help="Longest wait, seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the status as JSON at the end.")
def up(local: bool, foreground: bool, timeout_seconds: float, as_json: bool) -> None:
    """Start Atoll and wait until it is ready."""
    if not local:
        raise click.UsageError(
            "the container stack comes up with `docker compose up`; `atoll up --local` starts Atoll here, without "
            "containers"
        )
    from atoll import settings as configuration
    from atoll.local import control, room

    settings = _settings()
    for line in configuration.unsupported():
        click.echo(line, err=True)
    if not control.is_up(settings.run_dir):
        room.require(settings.data_dir)
    if not settings.owner_key_path.exists():  # the last thing that init writes
        _initialise(settings)
    if foreground:
        control.supervise(settings)
        return
    run_dir, logs_dir = settings.run_dir.absolute(), settings.logs_dir.absolute()
    supervisor = control.start(run_dir, logs_dir)
    address = control.address_of(run_dir, settings.gateway.address) if supervisor is None else settings.gateway.address
    if supervisor is None:
        click.echo("Atoll is already up", err=as_json)
    try:
        control.await_ready(
            run_dir,
            address,
            supervisor,
            timeout_seconds=timeout_seconds,
            on_change=partial(render.role_line, err=as_json),
        )
    except KeyboardInterrupt:
        click.echo("still starting in the background; see `atoll status`, or stop it with `atoll down`", err=True)
        raise
    if as_json:
        render.as_json(control.status(run_dir, address))
    else:
        click.echo(f"ready: {address}  (owner key: {settings.owner_key_path.absolute()})")
        render.older(_older())


@click.command()
@options.as_json
def down(as_json: bool) -> None:
    """Stop everything that `up --local` started."""
    from atoll.local import control

    ran = control.stop(_settings().run_dir.absolute())
    if as_json:
        render.as_json({"stopped": ran})
        return
    click.echo("stopped" if ran else "Atoll was not running here")


@click.command()
@options.as_json
def status(as_json: bool) -> None:
    """Show each process of the local stack."""
    from atoll.local import control

    settings = _settings()
    body = control.status(settings.run_dir.absolute(), settings.gateway.address)
    body["older_documents"] = _older() if body["ready"] else None
    if as_json:
        render.as_json(body)
    else:
        render.status(body)


@click.command()
@click.argument("role", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on printing what is added.")
@click.option("-n", "--lines", "count", default=50, show_default=True, type=click.IntRange(0, 10_000))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line: role and line.")
def logs(role: str | None, follow: bool, count: int, as_json: bool) -> None:
    """Print the end of one role's log, or of all."""
    from atoll.local.logs import tail

    folder = _settings().logs_dir
    paths = sorted(folder.glob("*.log"))
    if role is not None:
        paths = [path for path in paths if path.stem == role]
    if not paths:
        names = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        raise click.UsageError(f"no log of {role!r} (there are: {names})" if role else f"no logs in {folder}")
    named = None if as_json else len(paths) > 1
    offsets = {path: path.stat().st_size for path in paths}
    for path in paths:
        for line in tail(path, count):
            _print_line(path, line, named=named)
    while follow:
        for path, line in _added(offsets):
            _print_line(path, line, named=named)
        time.sleep(_FOLLOW_SECONDS)


def _older() -> int | None:
    """Return how many documents an older pipeline read; None when this key may not ask, or nobody answers."""
    from atoll.cli import client, reprocess

    try:
        with client.connect() as connected:
            return reprocess.older(connected)
    except AtollError:
        return None


def _added(offsets: dict[Path, int]) -> Iterator[tuple[Path, str]]:
    """Yield whole lines that were added since, and move the offsets."""
    for path, offset in offsets.items():
        size = path.stat().st_size
        start = offset if size >= offset else 0  # emptied in between
        with path.open("rb") as file:
            file.seek(start)
            whole = file.read(size - start).rpartition(b"\n")
        offsets[path] = start + len(whole[0]) + len(whole[1])
        for line in whole[0].decode("utf-8", errors="replace").splitlines():
            yield path, line


def _print_line(path: Path, line: str, *, named: bool | None) -> None:
    """Print a line of a log, with its role where there are several; ``named`` None: as JSON."""
    if named is None:
        click.echo(json.dumps({"role": path.stem, "line": line}, ensure_ascii=False))
        return
    click.echo(f"{path.stem:<10} | {render.plain(line)}" if named else render.plain(line))


def _settings() -> Settings:
    from atoll import settings

    return settings.load()


def _initialise(settings: Settings) -> bool:
    import asyncio

    from atoll.bootstrap import installation

    return asyncio.run(installation.initialise(settings))


def _make_admin(settings: Settings) -> bool:
    import asyncio

    from atoll.bootstrap import installation

    return asyncio.run(installation.ensure_admin(settings))
