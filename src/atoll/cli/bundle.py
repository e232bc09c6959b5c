"""bundle: one folder that carries images, models, packages and Compose files across a gap, signed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import click

from atoll.cli import options, render
from atoll.errors import BadInput, NotFound
from atoll.ops.bundle import BundleRefused, create, sign

_MIB = 1 << 20
_FOLDER = click.Path(path_type=Path, file_okay=False)
_KEY = click.Path(path_type=Path, exists=True, dir_okay=False)
_public_key = click.option("--key", "key", type=_KEY, required=True, help="Public key, from another channel.")
_the_bundle = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except BundleRefused as refused:
        raise BadInput(refused.message) from refused


@click.group()
def bundle() -> None:
    """Carry a release across a gap.

    create and sign on a connected machine; verify, inspect and load on the other side, where `sh DIR/load.sh` does the
    same without this command.
    """


@bundle.command("create")
@click.option("-o", "--output", type=_FOLDER, required=True, help="Folder to make.")
@click.option("--profile", default="cpu", show_default=True, help="Compose profiles whose images are carried.")
@click.option("--key", "key", type=_KEY, help="Private key to sign with at once.")
@click.option("--models", "models_dir", type=_FOLDER, default=Path("models"), show_default=True, help="Weights.")
@click.option("--wheels", "wheels_dir", type=_FOLDER, default=Path("vendor/wheels"), show_default=True)
@click.option("--no-models", is_flag=True, help="Carry no weights.")
@click.option("--no-wheels", is_flag=True, help="Carry no packages for the mode without containers.")
@options.as_json
@_refusals()
def create_bundle(
    output: Path,
    profile: str,
    key: Path | None,
    models_dir: Path,
    wheels_dir: Path,
    no_models: bool,
    no_wheels: bool,
    as_json: bool,
) -> None:
    """Make a bundle of this checkout; its images must have been built or pulled."""
    made = create(
        Path(),
        output,
        version=metadata.version("atoll"),
        profile=profile,
        models=None if no_models else models_dir,
        wheels=None if no_wheels else wheels_dir,
    )
    if key is not None:
        sign(output, key)
    if as_json:
        render.as_json({**_described(output), "folder": str(output), "signed": key is not None})
        return
    click.echo(
        f"{output}: {made.bytes / _MIB:,.0f} MiB, {len(made.images)} images, {len(made.models)} entries of models, "
        f"{len(made.wheels)} wheels"
    )
    if key is None:
        click.echo(f"not signed yet: atoll bundle sign {output} --key release.key")


@bundle.command("sign")
@_the_bundle
@click.option("--key", "key", type=_KEY, required=True, help="Ed25519 private key, PEM.")
@_refusals()
def sign_bundle(folder: Path, key: Path) -> None:
    """Sign a bundle, again if it was signed."""
    sign(folder, key)


@bundle.command("verify")
@_the_bundle
@_public_key
@options.as_json
def verify_bundle(folder: Path, key: Path, as_json: bool) -> None:
    """Check signature and every file; changes nothing and needs no rights.

    Exit codes: 0 whole, 3 the signature is wrong, 4 a file is changed, missing or too many.
    """
    done = _script(folder, ["--verify", str(key)], quiet=as_json)
    if as_json:
        render.as_json({"whole": done.returncode == 0, "reason": (done.stderr or "").strip() or None})
    sys.exit(done.returncode)


@bundle.command("inspect")
@_the_bundle
@options.as_json
def inspect_bundle(folder: Path, as_json: bool) -> None:
    """Show what a bundle says it holds. Says nothing about whether it is true: verify does."""
    body = _described(folder)
    if as_json:
        render.as_json(body)
        return
    click.echo(f"{body['product']} {body['version']}, {body['platform']}, profile {body['profile']}")
    for name in ("images", "models", "wheels"):
        for entry in body[name]:
            click.echo(f"{name[:-1]:<6} {render.plain(str(entry))}")
    for name, size in body["bytes"].items():
        click.echo(f"{size / _MIB:>9,.1f} MiB  {render.plain(name)}")


@bundle.command("load")
@_the_bundle
@_public_key
@click.option("--into", type=_FOLDER, required=True, help="Folder to make ready for `docker compose up`.")
def load_bundle(folder: Path, key: Path, into: Path) -> None:
    """Check a bundle and, if nothing is wrong with it, load it.

    Exit codes: 0 loaded, 3 and 4 as of verify, 6 no space; then nothing was loaded.
    """
    sys.exit(_script(folder, [str(key), str(into)], quiet=False).returncode)


def _script(folder: Path, arguments: list[str], *, quiet: bool) -> subprocess.CompletedProcess[str]:
    """Run our own copy of load.sh on a bundle; the bundle's is not trusted before it has been checked."""
    with resources.as_file(resources.files("atoll.ops.bundle").joinpath("load.sh")) as script:
        return subprocess.run(  # noqa: S603 - our own script, no shell
            ["/bin/sh", str(script), "--bundle", str(folder), *arguments], capture_output=quiet, text=True, check=False
        )


def _described(folder: Path) -> dict[str, Any]:
    try:
        body = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotFound(f"{folder} holds no readable bundle.json: it is no finished bundle") from error
    if not isinstance(body, dict) or body.get("product") != "atoll":
        raise NotFound(f"{folder}/bundle.json does not describe a bundle of Atoll")
    return body
