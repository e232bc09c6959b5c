"""models: what weights are here, whether they are what was locked, what they may be used for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from atoll.cli import model_rows, model_tables, options, render
from atoll.errors import BadInput, NotFound
from atoll.ops.models import (
    Fault,
    Kind,
    LockedModel,
    ModelRefused,
    Role,
    catalog,
    formats,
    hashing,
    lock,
    places,
    verify,
)
from atoll.ops.models.hashing import Progress

_DEFAULT_LOCK = Path("models/models.lock.json")
_CHECKSUM_EXIT = 4
_HUB_PREFIX = "models--"

_lock_file = click.option(
    "--lock-file", type=click.Path(path_type=Path, dir_okay=False), help="Default models/models.lock.json."
)
_catalog_file = click.option(
    "--catalog",
    "catalog_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Default catalog.toml beside the lock file.",
)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ModelRefused as refused:
        raise BadInput(refused.message) from refused


@click.group()
def models() -> None:
    """Lock, verify and list model weights. Nothing here fetches anything.

    models/README.md says how weights come to this machine.
    """


@models.command("lock")
@click.argument(
    "folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--license", "license_id", metavar="SPDX", required=True, help="SPDX id, or LicenseRef-NAME.")
@click.option("--repo", "repository", metavar="ORG/NAME", help="Upstream repository; a hub cache's folder tells it.")
@click.option("--revision", metavar="COMMIT", help="Commit of the repository, 40 hex digits.")
@click.option("--package", metavar="NAME", help="The installed Python package that carries the folder.")
@click.option("--base", metavar="NAME", help="For an adapter: the locked model that it is applied to.")
@click.option("--name", metavar="NAME", help="Default: the folder's or the hub cache's name.")
@_lock_file
@options.as_json
@_refusals()
def lock_models(
    folders: tuple[Path, ...],
    role: str,
    license_id: str,
    repository: str | None,
    revision: str | None,
    package: str | None,
    base: str | None,
    name: str | None,
    lock_file: Path | None,
    as_json: bool,
) -> None:
    """Hash model folders into the lock file; an entry of the same name is replaced."""
    if name and len(folders) > 1:
        raise click.UsageError("--name is for one folder")
    path = _lock_path(lock_file)
    entries = list(lock.read(path)) if path.exists() else []
    distribution = places.installed(package) if package else None
    made: list[LockedModel] = []
    for folder in folders:
        known_name, known_repository, known_revision = _hub_cache(folder)
        root = Path(str(distribution.locate_file(""))) if distribution else path.parent
        with _progress(_bytes_in(folder), f"hashing {folder.name}", silent=as_json) as progress:
            entry = hashing.entry(
                folder,
                name=name or known_name,
                role=Role(role),
                place=_place(folder, root),
                license_id=license_id,
                repository=repository or known_repository,
                revision=revision or known_revision,
                package=f"{package}=={distribution.version}" if distribution else None,
                base=_base(entries, base),
                progress=progress,
            )
        entries = lock.added(entries, entry)
        made.append(entry)
    lock.write(path, entries)
    if as_json:
        render.as_json({"lock_file": str(path), "models": [entry.as_dict() for entry in made]})
        return
    for entry in made:
        click.echo(
            f"locked {entry.name}: "
            f"{render.counted(len(entry.files), 'file')}, {model_tables.gigabytes(entry.total_bytes)}, in {path}"
        )


@models.command("verify")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--full/--fast", "full", help="Hash every byte, or compare sizes and headers (the default).")
@_lock_file
@options.as_json
@click.pass_context
@_refusals()
def verify_models(
    ctx: click.Context, names: tuple[str, ...], full: bool, lock_file: Path | None, as_json: bool
) -> None:
    """Check that models are as locked; without NAME, all of them.

    Exit codes: 0 they are, 1 a file is absent, damaged or not allowed, 4 a checksum does not match (--full).
    """
    path = _lock_path(lock_file)
    entries = lock.read(path)
    chosen = _chosen(entries, names, path)
    total = sum(entry.total_bytes for entry in chosen)
    with _progress(total, "hashing", silent=as_json or not full) as progress:
        found = [(entry, _faults(entry, entries, path.parent, full=full, progress=progress)) for entry in chosen]
    if as_json:
        render.as_json(model_rows.verdict(found, full=full))
    else:
        for entry, faults in found:
            model_tables.faults(entry, faults, full=full)
    kinds = {fault.kind for _, faults in found for fault in faults}
    if kinds:
        ctx.exit(_CHECKSUM_EXIT if Kind.CHECKSUM in kinds else 1)


@models.command("list")
@_lock_file
@_catalog_file
@options.as_json
@_refusals()
def list_models(lock_file: Path | None, catalog_file: Path | None, as_json: bool) -> None:
    """List the locked models, and what the catalogue recommends for each role and machine."""
    path = _lock_path(lock_file)
    locked, known = lock.read(path), catalog.read(catalog_file or path.parent / "catalog.toml")
    rows = [model_rows.listed(entry, path.parent, known) for entry in locked]
    held = {entry.repository for entry in locked}
    recommended = [{**asdict(item), "locked": item.repository in held} for item in known.models]
    if as_json:
        render.as_json({"models": rows, "recommended": recommended})
    else:
        model_tables.locked(rows)
        model_tables.recommended(recommended)


@models.command("licenses")
@_lock_file
@_catalog_file
@options.as_json
@_refusals()
def list_licenses(lock_file: Path | None, catalog_file: Path | None, as_json: bool) -> None:
    """List the locked models' licences, and whether the weights may be passed on."""
    path = _lock_path(lock_file)
    known = catalog.read(catalog_file or path.parent / "catalog.toml")
    rows = [
        {
            "name": entry.name,
            "repository": entry.repository,
            "license": entry.license,
            "license_name": explained.name if explained else None,
            "redistribution": explained.redistribution.value if explained else "unknown",
            "note": explained.note if explained else "Not in the catalogue: have it read before passing it on.",
            "license_files": [file.path for file in entry.files if _is_license(file.path)],
        }
        for entry in lock.read(path)
        for explained in [known.licenses.get(entry.license)]
    ]
    if as_json:
        render.as_json({"licenses": rows})
        return
    render.table(
        ("model", "license", "redistribution", "note"),
        ((row["name"], row["license"], row["redistribution"], row["note"]) for row in rows),
    )


def _lock_path(given: Path | None) -> Path:
    if given is None:
        from atoll import settings

        given = settings.load().models.lock_file or _DEFAULT_LOCK
    return Path(os.path.abspath(given))  # noqa: PTH100 - links stay as they are


def _place(folder: Path, root: Path) -> str:
    """Return the folder's path inside ``root``, by names first and by what links lead to second."""
    for candidate, place in ((Path(os.path.abspath(folder)), root), (folder.resolve(), root.resolve())):  # noqa: PTH100
        if candidate != place and candidate.is_relative_to(place):
            return candidate.relative_to(place).as_posix()
    raise ModelRefused(f"{folder} is not inside {root}; copy or mount it there, or choose another --lock-file")


def _hub_cache(folder: Path) -> tuple[str, str | None, str | None]:
    """Return name, repository and commit as a hub cache's ``models--ORG--NAME/snapshots/COMMIT`` tells them."""
    snapshot = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as they are
    repository_folder = snapshot.parent.parent.name
    if snapshot.parent.name != "snapshots" or not repository_folder.startswith(_HUB_PREFIX):
        return snapshot.name, None, None
    repository = repository_folder.removeprefix(_HUB_PREFIX).replace("--", "/", 1)
    return repository.rpartition("/")[2], repository, snapshot.name


def _chosen(entries: Sequence[LockedModel], names: Sequence[str], path: Path) -> list[LockedModel]:
    missing = set(names) - {entry.name for entry in entries}
    if missing:
        raise NotFound(f"{path} locks no {', '.join(sorted(missing))}; see `atoll models list`")
    chosen = [entry for entry in entries if not names or entry.name in names]
    if not chosen:
        raise NotFound(f"{path} locks no model, so there is nothing to verify; add one with `atoll models lock`")
    return chosen


def _base(entries: Sequence[LockedModel], name: str | None) -> LockedModel | None:
    base = lock.named(entries, name)
    if name and base is None:
        raise NotFound(f"the base {name} is not locked; lock that model first")
    return base


def _faults(
    entry: LockedModel, entries: Sequence[LockedModel], models_dir: Path, *, full: bool, progress: Progress
) -> list[Fault]:
    base = lock.named(entries, entry.base)
    try:
        return verify(places.locate(entry, models_dir), entry, base=base, full=full, progress=progress)
    except ModelRefused as refused:
        return [Fault(".", Kind.ABSENT, refused.message)]


def _is_license(path: str) -> bool:
    return Path(path).stem.lower() in formats.ALLOWED_NAMES - {"readme"}


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for _, file in formats.walk(folder) if file.is_file())


@contextmanager
def _progress(total_bytes: int, title: str, *, silent: bool) -> Iterator[Progress]:
    """Yield what is told of hashed bytes: a bar on a terminal, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, disable=silent or not console.is_terminal, transient=True) as bars:
        task = bars.add_task(title, total=total_bytes)
        yield lambda count: bars.update(task, advance=count)
