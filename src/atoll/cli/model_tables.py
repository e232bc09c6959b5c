"""How models look on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from atoll.cli import render
from atoll.ops.models import Fault, LockedModel
from atoll.ops.models.catalog import Figure


def faults(entry: LockedModel, found: Sequence[Fault], *, full: bool) -> None:
    """Print what is wrong with a model, or that nothing is."""
    if not found:
        click.echo(f"{entry.name}: {len(entry.files)} files are as locked ({'full' if full else 'fast'})")
    for fault in found:
        named = "" if fault.path == "." else f"{fault.path} "
        click.echo(render.plain(f"{entry.name}: {named}{fault.reason}"), err=True)


def locked(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the locked models."""
    render.table(
        ("locked", "role", "present", "size", "license", "recommended for"),
        (
            (
                row["name"],
                row["role"],
                _yes(row["present"]),
                gigabytes(row["total_bytes"]),
                row["license"],
                ", ".join(row["machines"]),
            )
            for row in rows
        ),
    )


def recommended(items: Sequence[Mapping[str, Any]]) -> None:
    """Print what the catalogue recommends."""
    click.echo("Recommended; sizes and memory are approximate, and a question mark stands where nobody looked:")
    render.table(
        ("role", "machine", "repository", "size", "memory", "license", "locked"),
        (
            (
                item["role"],
                ", ".join(item["machines"]),
                item["repository"] + (f" + {item['base']}" if item["base"] else ""),
                gigabytes(item["approximate_bytes"]) + _doubt(item, Figure.BYTES),
                gigabytes(item["approximate_memory_bytes"]) + _doubt(item, Figure.MEMORY),
                item["license"] + _doubt(item, Figure.LICENSE),
                _yes(item["locked"]),
            )
            for item in items
        ),
    )
    for item in items:
        why = " ".join(filter(None, (item["file"], item["reason"], item["note"])))
        if why:
            click.echo(render.plain(f"{item['repository']}: {why}"))


def gigabytes(count: int) -> str:
    """Return a size in decimal gigabytes, as model pages give it."""
    return f"{count / 1e9:.2f} GB" if count < 1e10 else f"{count / 1e9:.1f} GB"  # noqa: PLR2004 - three digits either way


def _doubt(item: Mapping[str, Any], figure: Figure) -> str:
    return "" if figure in item["verified"] else " ?"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
