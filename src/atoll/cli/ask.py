"""ask and search."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from atoll.cli import options, render
from atoll.errors import AtollError, BadInput

if TYPE_CHECKING:
    from atoll.cli.client import Client

_MODES = ("mix", "naive", "local", "global", "hybrid", "visual", "bypass")
_F = TypeVar("_F", bound=Callable[..., Any])
_mode = click.option("--mode", type=click.Choice(_MODES), default="mix", show_default=True)


def _filtered(command: _F) -> _F:
    """Give a command the options that narrow what is searched."""
    for option in (
        click.option(
            "--metadata", type=options.PAIR, multiple=True, help="Only documents with NAME=VALUE; repeatable."
        ),
        click.option("--label", "labels", multiple=True, help="Only documents with one of these labels; repeatable."),
        click.option("--source", "sources", multiple=True, help="Only documents of one of these sources; repeatable."),
        click.option("--name", "names", multiple=True, help="Only documents of this name, * is any text; repeatable."),
        click.option("--document", "documents", multiple=True, metavar="DOC", help="Only these, by id; repeatable."),
    ):
        command = option(command)
    return command


def _filters(
    documents: Sequence[str],
    names: Sequence[str],
    sources: Sequence[str],
    labels: Sequence[str],
    metadata: Sequence[tuple[str, Any]],
) -> dict[str, Any]:
    """Return the part of a request that narrows it; empty without options. One name twice means either value."""
    wanted: dict[str, list[Any]] = {}
    for name, value in metadata:
        wanted.setdefault(name, []).append(value)
    listed = {"document_ids": documents, "names": names, "sources": sources, "labels": labels}
    given: dict[str, Any] = {name: list(values) for name, values in listed.items() if values}
    if wanted:
        given["metadata"] = {name: values[0] if len(values) == 1 else values for name, values in wanted.items()}
    return {"filters": given} if given else {}


def _turns(history: Path | None) -> dict[str, Any]:
    """Return the conversation so far out of a file.

    Raises:
        BadInput: the file is no list of turns.
    """
    if history is None:
        return {}
    try:
        turns = json.loads(history.read_text(encoding="utf-8"))
        return {"history": [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in turns]}
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"{history} is not a JSON list of turns like "
            '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]'
        ) from error


def _asked(text: str) -> str:
    if not text.strip():
        raise click.UsageError("ask with at least one word")
    return text


@click.command()
@click.argument("question")
@_mode
@_filtered
@click.option(
    "--history",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The conversation so far: a JSON file, a list of turns {role, content}.",
)
@click.option("--answer", type=click.Choice(("auto", "generate", "extract")), default="auto", show_default=True)
@options.kb
@options.as_json
def ask(
    question: str,
    mode: str,
    documents: tuple[str, ...],
    names: tuple[str, ...],
    sources: tuple[str, ...],
    labels: tuple[str, ...],
    metadata: tuple[tuple[str, Any], ...],
    history: Path | None,
    answer: str,
    kb: str,
    as_json: bool,
) -> None:
    """Answer a question from the documents, every sentence cited."""
    from atoll.cli.client import connect, kb_path

    narrowed = _filters(documents, names, sources, labels, metadata)
    body = {"query": _asked(question), "mode": mode, "answer": answer, **narrowed, **_turns(history)}
    with connect() as client:
        if as_json:
            render.as_json(client.post(kb_path(kb, "query"), {**body, "stream": False}))
            return
        render.answer(_streamed(client, kb_path(kb, "query"), {**body, "stream": True}), kb=kb)


@click.command()
@click.argument("query")
@_mode
@_filtered
@click.option("--top-k", default=10, show_default=True, type=click.IntRange(1, 100), help="Results.")
@options.kb
@options.as_json
def search(
    query: str,
    mode: str,
    documents: tuple[str, ...],
    names: tuple[str, ...],
    sources: tuple[str, ...],
    labels: tuple[str, ...],
    metadata: tuple[tuple[str, Any], ...],
    top_k: int,
    kb: str,
    as_json: bool,
) -> None:
    """Show the passages that speak to a query, ranked, with what each retriever thought."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        wanted = {"query": _asked(query), "mode": mode, "top_k": top_k, "explain": True}
        narrowed = _filters(documents, names, sources, labels, metadata)
        body = client.post(kb_path(kb, "search"), {**wanted, **narrowed})
    if as_json:
        render.as_json(body)
    else:
        render.evidence(body["evidence"], kb=kb)


def _streamed(client: Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return the finished answer; on a terminal, show it while it is written.

    Raises:
        AtollError: the answer broke off.
    """
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console()
    with Live(Text(""), console=console, transient=True, refresh_per_second=8) as live:
        shown = ""
        for event, data in client.events(path, body):
            if event == "done":
                live.update(Text(""))
                assert isinstance(data, dict)
                return data
            if event == "error":
                problem = data.get("problem", data)
                raise AtollError(f"{problem.get('title', 'the answer broke off')}: {problem.get('detail', '')}")
            shown = _shown(shown, event, data)
            if console.is_terminal:
                live.update(Text(render.plain(shown)))
    raise AtollError("the answer broke off before it was finished; ask again, or see `atoll status`")


def _shown(shown: str, event: str, data: dict[str, Any]) -> str:
    """Return what is on the screen after an event; a replacement voids what was there."""
    if event == "delta":
        return shown + str(data["text"])
    return "" if event == "replace" else shown
