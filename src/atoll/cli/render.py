"""How answers, evidence, documents and processes look on a terminal.

Document text and names are untrusted: control characters are taken out before anything is printed, so that a
document cannot send escape sequences to a terminal.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atoll.cli.places import path_of, told_apart

if TYPE_CHECKING:
    from atoll.local.state import Row

_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB
_SNIPPET_CHARACTERS = 240
#: As far as the minutes of a moment in ISO 8601.
_MINUTE_CHARACTERS = 16
#: Characters that reorder or hide what stands around them.
_FORMAT_CHARACTERS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


@cache
def program() -> str:
    """Return how the reader calls this command: ``atoll`` where PATH leads to it, else the path that was called."""
    called, found = Path(sys.argv[0]), shutil.which("atoll")
    if called.name != "atoll" or (found is not None and Path(found).resolve() == called.resolve()):
        return "atoll"
    here = Path.cwd()
    return shlex.quote(str(called.relative_to(here) if called.is_relative_to(here) else called))


def counted(count: int, what: str) -> str:
    """Return a number with its noun: 1 file, 2 files."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def plain(text: str) -> str:
    """Return text without control and reordering characters, ready to be encoded; line ends and tabs stay."""
    return "".join(
        character
        for character in text.encode("utf-8", errors="replace").decode()
        if character in "\n\t" or not (unicodedata.category(character) == "Cc" or character in _FORMAT_CHARACTERS)
    )


def snippet(text: str, characters: int = _SNIPPET_CHARACTERS) -> str:
    """Return the beginning of a text on one line."""
    line = " ".join(plain(text).split())
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"


def as_json(body: object) -> None:
    """Print a body as it came from the API."""
    click.echo(json.dumps(body, ensure_ascii=False, indent=2))


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; on a pipe it is as wide as it needs to be."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 400
    drawn = Table(*columns, box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        drawn.add_row(*(Text(plain("" if cell is None else str(cell))) for cell in row))
    console.print(drawn)


def role_line(row: Row, *, err: bool = False) -> None:
    """Print one step of a start."""
    if row.state != "stopped":
        click.echo(f"  {row.role:<10} {row.state}" + (f": {plain(row.reason)}" if row.reason else ""), err=err)


def status(body: Mapping[str, Any]) -> None:
    """Print the processes of the local stack."""
    click.echo(f"{'ready' if body['ready'] else 'not ready'}: {body['address']}")
    table(
        ("role", "state", "pid", "restarts", "memory", "address"),
        (
            (row["role"], row["state"], row["pid"], row["restarts"], size(row["rss_bytes"]), row["address"])
            for row in body["processes"]
        ),
    )
    older(body["older_documents"])


def older(count: int | None) -> None:
    """Print in one line that an older pipeline read so many documents, if any (None: not known)."""
    if count:
        from atoll.domain.reading import older_line

        click.echo(older_line(count))


def answer(body: Mapping[str, Any], *, kb: str) -> None:
    """Print an answer, then what each of its marks stands for."""
    if body.get("refusal"):
        click.echo(plain(body["answer"]))
        return
    click.echo(plain(annotated(body["answer"], body["sentences"])))
    citations = body["citations"]
    if citations:
        click.echo()
    cited = told_apart([citation["evidence"] for citation in citations])
    for citation, evidence in zip(citations, cited, strict=True):
        click.echo(f"[{citation['n']}] {_place(evidence)}")
        click.echo(f"    {snippet(evidence.get('text') or '')}")
        click.echo(f"    {page_command(evidence, kb=kb)}")


def annotated(text: str, sentences: Sequence[Mapping[str, Any]]) -> str:
    """Return an answer, which carries its ``[n]`` marks, with a word after each sentence that nothing supports."""
    pieces, position = list[str](), 0
    for sentence in sentences:
        found = text.find(sentence["text"], position)
        if found < 0:
            continue
        end = found + len(sentence["text"])
        pieces.append(text[position:end])
        if not sentence["supported"]:
            pieces.append(" (unsupported)")
        position = end
    return "".join([*pieces, text[position:]])


def evidence(found: Sequence[Mapping[str, Any]], *, kb: str) -> None:
    """Print ranked evidence with what each retriever thought of it."""
    if not found:
        click.echo("nothing found")
    for item in told_apart(found):
        signals = "  ".join(
            f"{name} #{signal['rank']}" + ("" if signal["score"] is None else f" {signal['score']:.3f}")
            for name, signal in item["signals"].items()
        )
        click.echo(f"{item['rank']:>3}. {item['score']:.3f}  {_place(item)}")
        click.echo(f"     {signals}")
        click.echo(f"     {snippet(item.get('text') or '')}")
        if item.get("page"):
            click.echo(f"     {page_command(item, kb=kb)}")


def page_command(item: Mapping[str, Any], *, kb: str) -> str:
    """Return the command that saves the page with the passage marked."""
    words = ["page", plain(item["document"] or item["document_id"]), str(item["page"])]
    if item.get("passage_id"):
        words += ["--mark", item["passage_id"]]
    if kb != "default":
        words += ["--kb", kb]
    return f"{program()} {shlex.join(words)}"


def documents(body: Mapping[str, Any]) -> None:
    """Print a listing of documents."""
    from atoll.cli.warned import warned

    names = Counter(item["name"] for item in body["documents"])
    table(
        ("id", "name", "status", "pages", "passages", "size", "created", "why, or what to know"),
        (
            (
                item["id"],
                snippet(path_of(item) if names[item["name"]] > 1 else item["name"], 80),
                item["status"],
                item["pages"],
                item["passages"],
                size(item["bytes"]),
                item["created_at"][:_MINUTE_CHARACTERS].replace("T", " "),
                failure(item) if item.get("error") else warned(item),
            )
            for item in body["documents"]
        ),
    )
    told = [f"{count} {status}" for status, count in body["counts"].items()]
    if body.get("older"):  # of a listing, not of a batch
        told.append(f"{body['older']} read by an older pipeline")
    click.echo(", ".join(told) or "no documents")


def document(item: Mapping[str, Any]) -> None:
    """Print one document with its stages."""
    for name in ("id", "name", "status", "version", "media_type", "bytes", "pages", "passages", "entities", "sha256"):
        click.echo(f"{name:<11} {plain(str(item[name]))}")
    for name in ("source", "labels", "metadata", "created_at", "ready_at"):
        if item.get(name):
            click.echo(f"{name:<11} {plain(str(item[name]))}")
    if item["error"]:
        click.echo(f"{'error':<11} {failure(item)}")
    if read := item["read"]:
        click.echo(f"{'read':<11} {_read(read)}")
    for warning in item["warnings"]:
        page = f"page {warning['page']}: " if warning["page"] is not None else ""
        click.echo(f"{'warning':<11} {page}{plain(warning['message'])} ({plain(warning['type'])})")
    table(
        ("stage", "state", "done", "total", "seconds", "attempts", "error"),
        (
            tuple(stage[name] for name in ("name", "state", "done", "total", "seconds", "attempts", "error"))
            for stage in item["stages"]
        ),
    )


def _read(read: Mapping[str, Any]) -> str:
    """Return how a document was read, in one line."""
    told = [f"as {read['parser']}" if read["parser"] else "", read["why"], read["encoding"] or "", read["language"]]
    told.append(f"by an older pipeline ({read['pipeline']})" if read["older"] else f"by pipeline {read['pipeline']}")
    return plain(", ".join(filter(None, told)))


def entity(detail: Mapping[str, Any], near: Mapping[str, Any]) -> None:
    """Print an entity, where it is mentioned, and what surrounds it."""
    # The name is folded, so that all spellings are one entity; a reader knows it by the commonest of them.
    spelled = next((each["value"] for each in detail["surfaces"]), detail["name"])
    click.echo(f"{plain(spelled)}  ({plain(detail['type'])}, {counted(detail['passages'], 'passage')})")
    click.echo(f"{'id':<11} {detail['id']}")
    click.echo(f"{'written':<11} {snippet(', '.join(each['value'] for each in detail['surfaces']))}")
    listed = ", ".join(f"{each['name']} ({each['passages']})" for each in detail["documents"])
    click.echo(f"{'documents':<11} {detail['document_count']}: {snippet(listed)}")
    for item in detail["sample"]:
        click.echo(f"  {snippet(item['document'], 120)}, page {item['page']}: {snippet(item['text'])}")
    table(
        ("near", "type", "hops", "passages"),
        ((each["name"], each["type"], each["hops"], each["passages"]) for each in near["entities"]),
    )
    names = {each["id"]: each["name"] for each in (near["entity"], *near["entities"])}
    for item in near["relations"]:
        ends = f"{names[item['head']]} - {names[item['tail']]}"
        click.echo(f"{snippet(ends, 80)}: {snippet(item['description'])}")
    if near["truncated"]:
        click.echo("there is more; --limit shows it")


def failure(item: Mapping[str, Any]) -> str:
    """Return why a document did not become ready, in one line."""
    error = item.get("error")
    if not error:
        return str(item["status"])
    page = f", page {error['page']}" if error.get("page") else ""
    return plain(f"{error['message']} ({error['type']} in {error['stage']}{page})")


def size(count: int | None) -> str:
    """Return bytes for a person; nothing when they cannot be told."""
    if count is None:
        return ""
    if count < _KIB:
        return f"{count} B"
    if count < _MIB:
        return f"{count / _KIB:.0f} KiB"
    return f"{count / _MIB:.1f} MiB" if count < _GIB else f"{count / _GIB:.1f} GiB"


def _place(item: Mapping[str, Any]) -> str:
    page = f", page {item['page']}" if item.get("page") else ""
    passage = f", passage {item['passage_id']}" if item.get("passage_id") else ""
    return snippet(item["document"] or item["document_id"], 120) + page + passage
