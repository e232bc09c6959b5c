"""Bring a knowledge base in step with a folder: look, compare, and do what is missing. Doing it again does no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from atoll.cli.client import Client, Interrupted, NotRunning, Problem, kb_path
from atoll.cli.sources import Skipped, Source
from atoll.cli.sync.known import Known
from atoll.cli.sync.plan import Held, Move, Place, Plan, compare, held
from atoll.cli.sync.scan import Scan, is_below, place_of, scan
from atoll.cli.uploads import Outcome
from atoll.errors import AtollError

T = TypeVar("T")

_LISTED_AT_ONCE = 500
_CALLS_AT_ONCE = 4
#: How long the gateway may be busy or away in one go.
_OUTAGE_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(slots=True)
class Done:
    """What one run did, or would do: the plan, what was passed over, and how the files ended that were sent."""

    plan: Plan
    told: list[Skipped]
    outcomes: list[Outcome] = field(default_factory=list)


class Mirror:
    """One folder and the knowledge base that mirrors it.

    Args:
        client: the gateway.
        kb: the knowledge base.
        root: the folder.
        below: what sources are relative to; documents whose source lies outside ``root`` are left alone.
        known: hashes of files that did not change.
        again: whether files that could not be read are sent again.
    """

    def __init__(self, client: Client, kb: str, root: Path, *, below: Path, known: Known, again: bool = False) -> None:
        self._client = client
        self._kb = kb
        self._root = root
        self._below = below
        self._known = known
        self._again = again

    def look(self) -> Scan:
        """Look at the folder.

        Raises:
            AtollError: it is not there.
        """
        if not self._root.is_dir():
            raise AtollError(
                f"{self._root} is no folder that can be read, so nothing was changed; is what it lies on connected?"
            )
        return scan(self._root, self._below, self._known)

    def plan(self, found: Scan) -> Plan:
        """Compare a look at the folder with the knowledge base."""
        plan = compare(found.hashes, found.stays, self._documents(), again=self._again)
        self._known.save()
        return plan

    def arrange(self, plan: Plan) -> None:
        """Move and delete documents. Files are sent afterwards: what cannot be moved is among those that are added."""
        with ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="mirror") as executor:
            moved = list(executor.map(self._move, plan.moved))
            list(executor.map(self._delete, plan.deleted))
        failed = [move for move, was_moved in zip(plan.moved, moved, strict=True) if not was_moved]
        plan.moved = [move for move in plan.moved if move not in failed]
        plan.added += [move.to for move in failed]

    def _documents(self) -> Iterator[Held]:
        """Yield the documents that the folder answers for."""
        top = place_of(Source(self._root / "any", asked=False, below=self._below))[0]
        cursor: str | None = None
        while True:
            listing = partial(self._client.get, kb_path(self._kb, "documents"), source=top or None)
            page = self._patiently(partial(listing, limit=_LISTED_AT_ONCE, cursor=cursor))
            for document in page["documents"]:
                found = held(document)
                if is_below(found.place[0], top):
                    yield found
            cursor = page["next_cursor"]
            if not cursor:
                return

    def _move(self, move: Move) -> bool:
        """Give a document its new place; False when it has to be sent instead."""
        path = kb_path(self._kb, "documents", move.document.id)
        source, name = move.to
        try:
            self._patiently(lambda: self._client.patch(path, {"source": source, "name": name}))
        except Problem as problem:
            if problem.status_code not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                raise
            if problem.status_code == HTTPStatus.CONFLICT:
                self._delete(move.document)
            return False
        return True

    def _delete(self, document: Held) -> None:
        path = kb_path(self._kb, "documents", document.id)
        try:
            self._patiently(lambda: self._client.delete(path))
        except Problem as problem:
            if problem.status_code != HTTPStatus.NOT_FOUND:  # a newer version has replaced it meanwhile
                raise

    def _patiently(self, call: Callable[[], Any]) -> Any:
        """Call until the gateway has time, or for a while."""
        until = time.monotonic() + _OUTAGE_SECONDS
        while True:
            try:
                return call()
            except (Problem, NotRunning, Interrupted) as error:
                if isinstance(error, Problem) and error.status_code not in _BUSY:
                    raise
                pause = getattr(error, "retry_after_seconds", None) or _RETRY_SECONDS
                if time.monotonic() + pause > until:
                    raise
                time.sleep(pause)


def sources_of(plan: Plan, found: Scan) -> list[Source]:
    """Return the files that are to be sent, in order."""
    places: list[Place] = sorted([*plan.added, *plan.changed])
    return [found.sources[place] for place in places]
