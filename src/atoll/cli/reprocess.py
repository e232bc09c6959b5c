"""Reading documents again: which ones, and patience with a server that asks for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from atoll.cli.client import Problem, find_document, kb_path

if TYPE_CHECKING:
    from atoll.cli.client import Client

#: Times in a row that the server may ask for patience over one document, and the longest wait for it each time.
_MOST_WAITS = 10
_MOST_SECONDS = 60.0


@dataclass(slots=True)
class Queued:
    """Documents, as the API shows them, that are read again, and names of those left out with the reason."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)


def reprocess(client: Client, kb: str, named: Sequence[str], stage: str | None, password: str | None) -> Queued:
    """Let documents be read again: those of these names or ids, or without any all that are ready.

    ``password`` opens those of them that are encrypted.

    Raises:
        Problem: the server refuses one that was named, or does not get to it.
    """
    queued = Queued()
    if named:
        chosen = [find_document(client, kb, each) for each in named]
    else:
        chosen = client.collect(kb_path(kb, "documents"), "documents", status="ready")["documents"]
    body = {name: value for name, value in (("from", stage), ("password", password)) if value is not None}
    for document in chosen:
        try:
            queued.documents.append(_patiently(client, kb_path(kb, "documents", document["id"], "reprocess"), body))
        except Problem as problem:
            # Between the listing and now it may have been deleted, or somebody else lets it be read again.
            if named or problem.status_code not in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                raise
            queued.left.append((document["name"], problem.message))
    return queued


def older(client: Client) -> int:
    """Return how many documents that this key sees an older pipeline read."""
    kbs = client.collect("/v1/kbs", "kbs")["kbs"]
    return sum(client.get(kb_path(kb["name"], "documents"), limit=1)["older"] for kb in kbs)


def _patiently(client: Client, path: str, body: dict[str, str]) -> dict[str, Any]:
    for _ in range(_MOST_WAITS):
        try:
            answer: dict[str, Any] = client.post(path, body)
        except Problem as problem:
            if problem.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                raise
            time.sleep(min(_MOST_SECONDS, problem.retry_after_seconds or 1.0))
        else:
            return answer
    raise Problem("the server has no time for it; try again later", HTTPStatus.TOO_MANY_REQUESTS)
