"""eval: questions with known answers, asked of a knowledge base and judged."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atoll.cli import options, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atoll.cli.client import Client
    from atoll.evaluate.places import Cut
    from atoll.evaluate.questions import Question
    from atoll.evaluate.report import Change, Judged, Tally

#: Times that a question is asked while the gateway says that it is busy, and the longest wait between two of them.
_TRIES, _LONGEST_WAIT_SECONDS = 8, 30.0
_MODES = ("mix", "naive", "local", "global", "hybrid", "visual")
_COLUMNS = (
    "kind", "answerable", "recalled", "page", "right", "usable", "clean", "false refusals", "unanswerable",
    "false answers", "placed",
)  # fmt: skip


@click.command("eval")
@click.argument("questions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--answer", type=click.Choice(("auto", "generate", "extract")), default="extract", show_default=True)
@click.option("--mode", type=click.Choice(_MODES), default="mix", show_default=True)
@click.option("--kind", "kinds", multiple=True, help="Only questions of this kind (repeatable).")
@click.option("--without-kind", "without", multiple=True, help="No questions of this kind (repeatable).")
@click.option("--any-page", is_flag=True, help="A citation of the right document counts, whatever its page.")
@click.option("--places", is_flag=True, help="Look on the pages whether the sentences stand where the answer says.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the run as JUnit XML to this file."
)
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the run to this file.")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with a saved run; exit 1 if more than --max-lost questions went well there and do not now.",
)
@click.option("--max-lost", type=click.IntRange(min=0), default=0, show_default=True)
@options.kb
@options.as_json
def evaluate(
    questions: Path,
    answer: str,
    mode: str,
    kinds: tuple[str, ...],
    without: tuple[str, ...],
    any_page: bool,
    places: bool,
    junit: Path | None,
    save: Path | None,
    baseline: Path | None,
    max_lost: int,
    kb: str,
    as_json: bool,
) -> None:
    """Ask the questions of a file and tell how good the answers are: recall, answers, refusals, by kind.

    docs/evaluate.md describes the file.
    """
    from atoll.cli.client import connect
    from atoll.errors import BadInput
    from atoll.evaluate.junit import as_junit
    from atoll.evaluate.questions import read_questions
    from atoll.evaluate.report import as_json as saved
    from atoll.evaluate.report import since

    wanted = [
        each.on_any_page() if any_page else each
        for each in read_questions(questions)
        if (not kinds or each.kind in kinds) and each.kind not in without
    ]
    if not wanted:
        raise BadInput("no question is of these kinds")
    with connect() as client, ExitStack() as opened:
        cut = _page_texts(client, kb, opened) if places else None
        items = [_judged(client, kb, each, cut, answer=answer, mode=mode) for each in wanted]
    run = saved(items, {"questions": questions.name, "kb": kb, "answer": answer, "mode": mode})
    changed = since(items, baseline) if baseline else None
    if changed:
        run |= {"lost": list(changed.lost), "gained": list(changed.gained)}
    if save:
        save.write_text(json.dumps(run, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if junit:
        junit.write_text(as_junit(items), encoding="utf-8")
    if as_json:
        render.as_json(run)
    else:
        _print(items, changed)
    if changed and len(changed.lost) > max_lost:
        raise click.exceptions.Exit(1)


def _page_texts(client: Client, kb: str, opened: ExitStack) -> Cut:
    from atoll.cli.page_texts import PageTexts

    texts = PageTexts(client, kb)
    opened.callback(texts.close)
    return texts.cut


def _judged(client: Client, kb: str, question: Question, cut: Cut | None, *, answer: str, mode: str) -> Judged:
    from atoll.evaluate.places import placed
    from atoll.evaluate.report import Judged
    from atoll.evaluate.verdict import judged

    body = {
        "query": question.text,
        "answer": answer,
        "mode": mode,
        "history": [dict(turn) for turn in question.history],
    }
    reply = _asked(client, kb, body)
    verdict = judged(question, reply)
    if cut is not None and question.answerable and verdict.right:
        verdict = replace(verdict, placed=placed(question, reply, cut))
    return Judged(question, verdict, str(reply["answer"]))


def _asked(client: Client, kb: str, body: dict[str, Any]) -> Any:
    """Return the answer; a busy gateway is asked again after the time that it names."""
    from atoll.cli.client import Problem, kb_path

    for left in reversed(range(_TRIES)):
        try:
            return client.post(kb_path(kb, "query"), body)
        except Problem as problem:
            busy = problem.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
            if not (busy and left):
                raise
            time.sleep(min(problem.retry_after_seconds or 1.0, _LONGEST_WAIT_SECONDS))
    raise AssertionError("the last try returns or raises")


def _print(items: Sequence[Judged], changed: Change | None) -> None:
    from atoll.evaluate.report import by_kind

    for each in items:
        if not each.good:
            click.echo(f"{each.question.id} ({each.question.kind}) {render.plain(each.question.text)}")
            click.echo(f"    {render.plain(each.why)}: {render.snippet(each.answer)}")
        elif each.verdict.placed is False:
            click.echo(f"{each.question.id} ({each.question.kind}) {render.plain(each.question.text)}")
            click.echo(f"    stands elsewhere than its places say: {render.snippet(each.answer)}")
    render.table(_COLUMNS, (_row(kind, counts) for kind, counts in by_kind(items).items()))
    if changed:
        click.echo(f"lost {len(changed.lost)}: {', '.join(changed.lost) or '-'}")
        click.echo(f"gained {len(changed.gained)}: {', '.join(changed.gained) or '-'}")


def _row(kind: str, counts: Tally) -> tuple[object, ...]:
    of = counts.answerable
    shares = (counts.recalled, counts.page, counts.right, counts.usable, counts.clean, counts.false_refusals)
    told = (_share(each, of) for each in shares)
    placed = _share(counts.placed, counts.located)
    return (kind, of, *told, counts.unanswerable, _share(counts.false_answers, counts.unanswerable), placed)


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.0f} %)" if whole else "-"
