"""ask and search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from atoll.cli import options, render
from atoll.errors import AtollError

if TYPE_CHECKING:
    from atoll.cli.client import Client

_MODES = ("mix", "naive", "local", "global", "hybrid", "visual", "bypass")
_mode = click.option("--mode", type=click.Choice(_MODES), default="mix", show_default=True)


@click.command()
@click.argument("question")
@_mode
@click.option("--answer", type=click.Choice(("auto", "generate", "extract")), default="auto", show_default=True)
@options.kb
@options.as_json
def ask(question: str, mode: str, answer: str, kb: str, as_json: bool) -> None:
    """Answer a question from the documents, every sentence cited."""
    from atoll.cli.client import connect, kb_path

    body = {"query": question, "mode": mode, "answer": answer}
    with connect() as client:
        if as_json:
            render.as_json(client.post(kb_path(kb, "query"), {**body, "stream": False}))
            return
        render.answer(_streamed(client, kb_path(kb, "query"), {**body, "stream": True}), kb=kb)


@click.command()
@click.argument("query")
@_mode
@click.option("--top-k", default=10, show_default=True, type=click.IntRange(1, 100), help="Results.")
@options.kb
@options.as_json
def search(query: str, mode: str, top_k: int, kb: str, as_json: bool) -> None:
    """Show the passages that speak to a query, ranked, with what each retriever thought."""
    from atoll.cli.client import connect, kb_path

    with connect() as client:
        body = client.post(kb_path(kb, "search"), {"query": query, "mode": mode, "top_k": top_k, "explain": True})
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
