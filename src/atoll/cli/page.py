"""page: save the picture of a page, a passage marked."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import click

from atoll import files
from atoll.cli import options, render
from atoll.errors import AtollError


@click.command()
@click.argument("document", metavar="DOC")
@click.argument("number", metavar="N", type=click.IntRange(1))
@click.option("--mark", metavar="PASSAGE", help="Mark this passage on the page.")
@click.option("--dpi", type=click.Choice(("96", "150")), default="150", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: DOC-pN.png.")
@options.kb
@options.as_json
def page(document: str, number: int, mark: str | None, dpi: str, output: Path | None, kb: str, as_json: bool) -> None:
    """Save page N of a document (an id or a name) as PNG; --json prints where its passages stand instead."""
    from atoll.cli.client import connect, find_document, kb_path

    with connect() as client:
        uid = find_document(client, kb, document)["id"]
        if as_json:
            render.as_json(client.get(kb_path(kb, "documents", uid, "pages", str(number))))
            return
        image = client.download(kb_path(kb, "documents", uid, "pages", f"{number}.png"), mark=mark, dpi=dpi)
    path = output or Path(f"{PurePosixPath(document).name or uid}-p{number}.png")
    try:
        files.write(path, image)
    except OSError as error:
        raise AtollError(f"cannot write {path}: {error.strerror}") from error
    click.echo(str(path))
