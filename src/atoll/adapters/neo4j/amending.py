"""Amending documents on Neo4j: facts for the rules of ``atoll.records.amending``, and what these decide."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, change, depart, reading
from atoll.adapters.neo4j.versions import highest_versions
from atoll.domain.document import RELABEL_POSITION, Amendment
from atoll.domain.ids import DocumentUid, KbUid, new_token
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records.amending import Standing, check_amendment, differing, events_of, hides, renumbers
from atoll.records.rows.documents import standing
from atoll.records.versions import versions_of

_TWINS, _AMEND, _QUEUE_RELABEL, _RAISE_REVISION = load("amending", "twins", "amend", "queue_relabel", "raise_revision")


async def amend(
    transaction: Transaction,
    reader: Reader,
    document: Mapping[str, Any],
    amendment: Amendment,
    *,
    tenant: str,
    actor: Actor,
) -> None:
    """Write what of an amendment is not so already; the knowledge base is locked. Raises Forbidden, Conflict."""
    before = standing(document)
    amendment = differing(before, amendment)
    if not amendment.changed:
        return
    after = before.after(amendment)
    moved = after.place != before.place
    check_amendment(reader, amendment, await _twins(transaction, reader, after) if moved else ())
    if amendment.labels is not None and document["indexed"]:
        # Before the change numbers are locked, as stages do it.
        await queue_relabel(transaction, reader.kb, before.uid)
    if hides(before, amendment):
        await depart(transaction, reader.kb, [before.uid])
    version = document["version"]
    if renumbers(amendment):
        (version,) = versions_of([after], await highest_versions(transaction, reader, [after], but=before.uid))
    await transaction.all(
        _AMEND,
        kb=reader.kb,
        document=before.uid,
        moved=moved,
        values={
            "labels": sorted(after.labels),
            "metadata_json": json.dumps(dict(after.metadata)),
            "facts": facts_of(after.metadata),
            "name": after.name,
            "source": after.source,
            "version": version,
        },
    )
    await change(transaction, reader.kb, [before.uid])
    raised = await transaction.one(_RAISE_REVISION, kb=reader.kb, by=int(document["visible"]))
    assert raised is not None, "the knowledge base is locked"
    await audit(transaction, tenant, *events_of(actor, before, amendment, int(raised["revision"])))


async def queue_relabel(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Let the vector index follow the labels of a document."""
    await transaction.all(_QUEUE_RELABEL, kb=kb, document=document, position=RELABEL_POSITION, token=new_token())


async def _twins(transaction: Transaction, reader: Reader, after: Standing) -> list[DocumentUid]:
    """Return the other documents of the same bytes at a place that the reader sees."""
    found = await transaction.all(
        _TWINS, **reading(reader), document=after.uid, sha256=after.sha256, name=after.name, source=after.source or ""
    )
    return [DocumentUid(record["uid"]) for record in found]
