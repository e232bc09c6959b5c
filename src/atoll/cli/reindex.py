"""reindex: make the vector index again from the record store."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atoll.cli import options, render

if TYPE_CHECKING:
    from atoll.ingest.rebuild.collections import Progress
    from atoll.settings import Settings


@click.command()
@click.option("--kb", metavar="NAME", help="Only this knowledge base; default all, and what belongs to none.")
@click.option("--all", "everything", is_flag=True, help="Write every point, also where the numbers agree.")
@options.as_json
def reindex(kb: str | None, everything: bool, as_json: bool) -> None:
    """Make the vector index again from the record store, while Atoll serves; no model is called.

    Workers do this by themselves when points are missing. It may be stopped and started again at any time.
    """
    done = asyncio.run(_rebuild(_settings(), kb, everything=everything, show=not as_json))
    if as_json:
        render.as_json(
            [
                {"collection": each.collection, "kb": each.kb, "points": each.seen, "written": each.written,
                 "removed": each.removed}
                for each in done
            ]
        )  # fmt: skip
        return
    render.table(
        ("collection", "kb", "points", "written", "removed"),
        ((each.collection, each.kb, each.seen, each.written, each.removed) for each in done),
    )


async def _rebuild(settings: Settings, kb: str | None, *, everything: bool, show: bool) -> list[Progress]:
    from rich.console import Console
    from rich.progress import Progress as Bars

    from atoll.bootstrap import indexing

    latest: dict[tuple[str, str], Progress] = {}
    console = Console(stderr=True)
    async with indexing.rebuilding(settings) as work:
        with Bars(console=console, disable=not (show and console.is_terminal), transient=True) as bars:
            tasks = {}
            async for progress in work.rebuild(kb_name=kb, everything=everything):
                key = (progress.collection, progress.kb)
                latest[key] = progress
                if key not in tasks:
                    tasks[key] = bars.add_task(f"{progress.collection} {progress.kb}", total=None)
                bars.update(tasks[key], completed=progress.seen, total=progress.total)
    return list(latest.values())


def _settings() -> Settings:
    """Return the settings, with the addresses of the local stack where that runs these servers."""
    from atoll import settings as configuration
    from atoll.local import state

    settings = configuration.load()
    running = state.read(settings.run_dir)
    if running is None:
        return settings
    changes = {}
    for role, secret in ((state.RoleName.VECTORS, "api_key_file"), (state.RoleName.EMBEDDINGS, "token_file")):
        row = running.row(role)
        if row is not None and row.token_file is not None:
            section = getattr(settings, role)
            changes[role.value] = section.model_copy(update={"url": row.address, secret: Path(row.token_file)})
    return settings.model_copy(update=changes)
