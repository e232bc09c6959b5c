"""tokenizers: token vocabularies for programs beside Atoll, fetched on a connected machine and checked anywhere."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from atoll.cli import options, render
from atoll.errors import BadInput
from atoll.ops import tokenizers as vocabularies
from atoll.ops.models import Kind, ModelRefused

_CHECKSUM_EXIT = 4
_NAMES = [vocabulary.name for vocabulary in vocabularies.KNOWN]

_names = click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(_NAMES))
_folder = click.option(
    "--into", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path("models/tokenizers"),
    show_default=True, help="Folder of the vocabularies.",
)  # fmt: skip


@click.group()
def tokenizers() -> None:
    """Bring and check the token vocabularies that vLLM (gpt-oss models) and tiktoken would fetch by themselves.

    Atoll itself needs none: it counts with the embedding model's own tokenizer. In containers vLLM is told to look in
    /models/tokenizers; other programs take the folder in TIKTOKEN_CACHE_DIR.
    """


@tokenizers.command("pull")
@_names
@_folder
@click.option("--from", "source", default=vocabularies.SOURCE, show_default=True, help="Where they are published.")
@options.as_json
def pull_tokenizers(names: tuple[str, ...], folder: Path, source: str, as_json: bool) -> None:
    """Fetch what is missing, all of them or NAME, on a connected machine. The folder then crosses with the models."""
    try:
        fetched = vocabularies.pull(folder, _chosen(names), source=source)
    except ModelRefused as refused:
        raise BadInput(refused.message) from refused
    if as_json:
        render.as_json({"folder": str(folder), "fetched": fetched})
        return
    for vocabulary in _chosen(names):
        click.echo(f"{vocabulary.name}: {'fetched' if vocabulary.name in fetched else 'was there'}, in {folder}")


@tokenizers.command("verify")
@_names
@_folder
@options.as_json
@click.pass_context
def verify_tokenizers(ctx: click.Context, names: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Check every byte of them against what was published; fetches nothing.

    Exit codes: 0 they are right, 1 one is absent or cannot be read, 4 a checksum does not match.
    """
    faults = vocabularies.faults(folder, _chosen(names))
    if as_json:
        render.as_json({"folder": str(folder), "faults": [asdict(fault) for fault in faults]})
    elif faults:
        for fault in faults:
            click.echo(f"{folder / fault.path}: {fault.reason}", err=True)
    else:
        click.echo(f"{folder}: {', '.join(vocabulary.name for vocabulary in _chosen(names))} as published")
    if faults:
        ctx.exit(_CHECKSUM_EXIT if Kind.CHECKSUM in {fault.kind for fault in faults} else 1)


def _chosen(names: tuple[str, ...]) -> list[vocabularies.Vocabulary]:
    return [vocabulary for vocabulary in vocabularies.KNOWN if not names or vocabulary.name in names]
