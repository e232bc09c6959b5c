"""``atoll ingest DIR --sync``: one run, or one after the other as the folder changes."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click

from atoll import settings as configuration
from atoll.cli import render
from atoll.cli.client import Client, connect, kb_path
from atoll.cli.progress import Silence, board
from atoll.cli.sync.changes import LOOK_SECONDS, Changes
from atoll.cli.sync.known import Known
from atoll.cli.sync.mirror import Done, Mirror, sources_of
from atoll.cli.sync.plan import Plan, place_text
from atoll.cli.sync.scan import Scan
from atoll.cli.uploads import Ending, Outcome, Uploads
from atoll.errors import AtollError, BadInput

#: A folder without changes is compared with the knowledge base all the same so often.
_COMPARE_SECONDS = 600.0
#: Pauses after a run that failed, doubled each time.
_PAUSE_SECONDS, _MOST_PAUSE_SECONDS = 2.0, 60.0
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    root: Path
    below: Path
    fields: Mapping[str, str]
    dry_run: bool
    accept_deletes: int | None
    wait: bool
    timeout_seconds: float
    as_json: bool


class Sync:
    """Runs of one mirror; ``look_seconds`` is how often a folder is looked at whose changes nobody tells."""

    def __init__(self, client: Client, kb: str, wanted: Wanted, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._client = client
        self._kb = kb
        self._wanted = wanted
        self._look_seconds = look_seconds
        self._mirror = Mirror(
            client,
            kb,
            wanted.root,
            below=wanted.below,
            known=Known(_known_path(client.address, kb, wanted.root)),
            again="password" in wanted.fields,
        )

    def once(self) -> Done:
        """Bring the knowledge base in step. Raises AtollError when that would delete too much."""
        return self._run(self._mirror.look())

    def for_ever(self, tell: Callable[[Done], None]) -> NoReturn:
        """Bring it in step whenever the folder changes, until somebody interrupts."""
        before: dict[str, list[object]] | None = None
        compared, pause, said = 0.0, _PAUSE_SECONDS, ""
        with Changes(self._wanted.root, look_seconds=self._look_seconds) as changes:
            while True:
                changes.follow()
                try:
                    found = self._mirror.look()
                    if found.signs != before or time.monotonic() - compared > _COMPARE_SECONDS:
                        tell(self._run(found))
                        before, compared = found.signs, time.monotonic()
                    pause, said = _PAUSE_SECONDS, ""
                except AtollError as error:
                    if error.message != said:
                        click.echo(f"atoll: {render.plain(error.message)}", err=True)
                    before, said = None, error.message
                    time.sleep(pause)
                    pause = min(_MOST_PAUSE_SECONDS, 2 * pause)
                changes.wait()

    def _run(self, found: Scan) -> Done:
        wanted, plan = self._wanted, self._mirror.plan(found)
        refused = _refusal(found, plan, wanted.accept_deletes)
        if wanted.dry_run:
            if refused and not wanted.as_json:
                click.echo(f"would stop: {refused}")
            return Done(plan, found.told)
        if refused:
            raise AtollError(refused)
        self._mirror.arrange(plan)
        done = Done(plan, found.told)
        sources = sources_of(plan, found)
        if sources:
            watcher = Silence() if wanted.as_json else board(len(sources))
            uploads = Uploads(
                self._client,
                self._kb,
                fields=wanted.fields,
                watcher=watcher,
                timeout_seconds=wanted.timeout_seconds,
                wait=wanted.wait,
            )
            with watcher:
                for outcome in uploads.run(sources):
                    done.outcomes.append(outcome)
                    watcher.ended(outcome)
        return done


def mirror(kb: str, wanted: Wanted, *, watch: bool) -> None:
    """Mirror a folder, once or until somebody interrupts; exits 1 when something that was tried did not go well.

    Raises:
        BadInput: the folder does not lie below what sources are relative to.
    """
    if not wanted.root.resolve().is_relative_to(wanted.below.resolve()):
        raise BadInput(f"{wanted.root} does not lie below --root {wanted.below}")
    with connect() as client:
        client.get(kb_path(kb))  # fails at once when nobody is there, the key is wrong or there is no such place
        sync = Sync(client, kb, wanted)
        if watch:
            sync.for_ever(lambda done: tell(done, wanted, only_news=True))
        done = sync.once()
    tell(done, wanted, only_news=False)
    if _failures(done) or any(each.failed for each in done.told):
        click.get_current_context().exit(1)


def _failures(done: Done) -> list[Outcome]:
    """The files that were sent and cannot be asked about."""
    return [outcome for outcome in done.outcomes if outcome.ending in {Ending.FAILED, Ending.UNSUPPORTED}]


def _refusal(found: Scan, plan: Plan, accepted: int | None) -> str | None:
    """Why a run must not go on without a word from its caller, who may have named the wrong folder."""
    count = len(plan.deleted)
    if found.is_empty and accepted is None:
        return (
            "the folder holds no file, so nothing was changed; if all documents are to go, run this again with "
            f"--accept-deletes {count}"
        )
    if plan.deletes_too_many(accepted):
        return (
            f"{count} of {render.counted(plan.held, 'document')} would be deleted, because their files are gone: "
            f"{_some([place_text(each.place) for each in plan.deleted], 5)}. Nothing was changed; if they are to go, "
            f"run this again with --accept-deletes {count}"
        )
    return None


def _known_path(address: str, kb: str, root: Path) -> Path:
    """Where the hashes of this mirror's files are kept: beside the other data, apart for each mirror."""
    name = hashlib.sha256(f"{address}\n{kb}\n{root.resolve()}".encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return configuration.load().data_dir / "sync" / f"{name}.json"


def tell(done: Done, wanted: Wanted, *, only_news: bool) -> None:
    """Print what a run did, or nothing where only news are wanted and there are none."""
    if wanted.as_json:
        if not (only_news and done.plan.is_done):
            render.as_json(_body(done, dry_run=wanted.dry_run))
        return
    plan = done.plan
    if only_news and plan.is_done:
        return
    for each in done.told:
        click.echo(f"{'failed' if each.failed else 'skipped':<13} {render.plain(str(each.path))}: {each.reason}")
    for move in plan.moved:
        click.echo(f"{'moved':<13} {render.plain(f'{place_text(move.document.place)} -> {place_text(move.to)}')}")
    for document in plan.deleted:
        click.echo(f"{'deleted':<13} {render.plain(place_text(document.place))}")
    if wanted.dry_run:
        for ending, places in (("added", plan.added), ("changed", plan.changed)):
            for place in places:
                click.echo(f"{ending:<13} {render.plain(place_text(place))}")
    if plan.misread:
        misread = [place_text(each.place) for each in plan.misread]
        click.echo(f"{'failed before':<13} {render.plain(_some(misread, _SHOWN))}; `atoll documents retry` tries again")
    counts = Counter(added=len(plan.added), changed=len(plan.changed), moved=len(plan.moved), deleted=len(plan.deleted))
    counts.update(unchanged=plan.unchanged, failed=len(_failures(done)))
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    state = "would be" if wanted.dry_run else "not yet in step" if counts["failed"] else "in step"
    click.echo(f"{state}: {told or 'nothing to do'}")


def _some(texts: list[str], most: int) -> str:
    shown = ", ".join(render.snippet(text, 80) for text in texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown


def _body(done: Done, *, dry_run: bool) -> dict[str, Any]:
    plan = done.plan
    return {
        "dry_run": dry_run,
        "added": [place_text(place) for place in plan.added],
        "changed": [place_text(place) for place in plan.changed],
        "moved": [
            {"document_id": move.document.id, "from": place_text(move.document.place), "to": place_text(move.to)}
            for move in plan.moved
        ],
        "deleted": [{"document_id": each.id, "place": place_text(each.place)} for each in plan.deleted],
        "failed_before": [{"document_id": each.id, "place": place_text(each.place)} for each in plan.misread],
        "unchanged": plan.unchanged,
        "passed_over": [{"path": str(each.path), "reason": each.reason, "failed": each.failed} for each in done.told],
        "failed": [{"place": outcome.source.place, "reason": outcome.reason} for outcome in _failures(done)],
    }
