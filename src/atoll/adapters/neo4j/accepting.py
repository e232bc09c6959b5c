"""Accepting documents on Neo4j: facts for the rules of ``atoll.records.admission``, and what these decide."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from atoll.adapters.neo4j.amending import amend
from atoll.adapters.neo4j.database import Transaction
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, change, fence, hide, reading, renew_journey
from atoll.adapters.neo4j.versions import highest_versions
from atoll.domain.document import JOURNEY, Accepted, Document, Namesake, NewDocument, Replaces, Status
from atoll.domain.ids import BatchId, DocumentUid, KbUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records import events
from atoll.records.admission import Room, check_room
from atoll.records.placing import Known, Place, Settled, replaceable, settle
from atoll.records.quota import check_tenant
from atoll.records.rows import documents as rows
from atoll.records.versions import versions_of

_TENANT_QUOTA, _TENANT_HELD = load("accepting", "tenant_quota", "tenant_held")
_NAMESAKES, _PROMOTE = load("accepting", "namesakes", "promote")
_WAITING, _KNOWN, _INSERT, _COUNT_ACCEPTED, _INSERT_BATCH, _IS_WRITTEN, _DOCUMENTS, _QUEUE_AGAIN = load(
    "accepting",
    "waiting",
    "known",
    "insert",
    "count_accepted",
    "insert_batch",
    "is_written",
    "documents",
    "queue_again",
)


async def accept(
    transaction: Transaction,
    uploader: Reader,
    documents: Sequence[NewDocument],
    *,
    batch: BatchId,
    replace: bool,
    actor: Actor,
    most_waiting: int,
    kb: Mapping[str, Any],
) -> Accepted:
    """Write what is new of an upload into the knowledge base ``kb``, which is locked.

    Raises:
        QuotaExceeded, Conflict, Forbidden: as ``Catalogue.accept``.
    """
    # An earlier run of this transaction may have been committed without our hearing of it.
    is_new = await transaction.one(_IS_WRITTEN, kb=uploader.kb, batch=batch) is None
    if is_new:
        check_room(await _room(transaction, kb, most_waiting), documents, uploader)
        check_tenant(*await _tenant(transaction, kb["tenant"]), documents)
    settled = settle(uploader, documents, await _known(transaction, uploader, documents), replace=replace)
    namesakes = await _namesakes(transaction, uploader, settled.firsts)
    if is_new:
        await _insert(transaction, kb, uploader, settled.fresh, replaceable(uploader) if replace else None, actor)
        await _change_known(transaction, uploader, kb, settled, actor)
        await transaction.all(_INSERT_BATCH, kb=uploader.kb, batch=batch, documents=settled.documents)
    return Accepted(
        batch=batch,
        documents=await _read(transaction, uploader.kb, settled.documents),
        duplicates=tuple(settled.duplicates),
        namesakes=namesakes,
    )


async def queue_again(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Let the document's journey begin anew."""
    # From the first stage on: stages find their artefacts and call no model again.
    await fence(transaction, kb, document)
    await renew_journey(transaction, kb, document)
    await transaction.all(_QUEUE_AGAIN, kb=kb, document=document)


async def _room(transaction: Transaction, kb: Mapping[str, Any], most_waiting: int) -> Room:
    counted = await transaction.one(_WAITING, kb=kb["uid"])
    assert counted is not None, "an aggregation returns one record"
    return Room(
        waiting=counted["n"],
        most_waiting=most_waiting,
        held={"documents": kb["documents"], "bytes": kb["bytes"]},
        quota=json.loads(kb["quota_json"]),
    )


async def _tenant(transaction: Transaction, tenant: str) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Return what the tenant holds in all its knowledge bases, counted where there is a quota, and its quota."""
    found = await transaction.one(_TENANT_QUOTA, tenant=tenant)
    assert found is not None, "tenants are never removed"
    quota = json.loads(found["quota_json"])
    if not quota.keys() & {"documents", "bytes"}:
        return {}, quota
    held = await transaction.one(_TENANT_HELD, tenant=tenant)
    assert held is not None, "an aggregation returns one record"
    return held.data(), quota


async def _known(transaction: Transaction, uploader: Reader, documents: Sequence[NewDocument]) -> list[Known]:
    places = {(new.source, new.name) for new in documents}
    found = await transaction.all(_KNOWN, **reading(uploader), places=_parameters(places))
    return [
        Known(
            rows.standing(row),
            Status(row["status"]),
            row["visible"],
            row["turn"],
            rows.replaces(row["replaces"]),
        )
        for row in (record["document"] for record in found)
    ]


async def _namesakes(transaction: Transaction, uploader: Reader, places: Sequence[Place]) -> tuple[Namesake, ...]:
    """Return the latest document of each place's name at another source."""
    found = await transaction.all(_NAMESAKES, **reading(uploader), places=_parameters(places))
    return tuple(Namesake(each["name"], each["source"], DocumentUid(each["uid"])) for each in found)


def _parameters(places: Iterable[Place]) -> list[list[str]]:
    """Return places as statements compare them: no source is an empty one."""
    return [[source or "", name] for source, name in places]


async def _change_known(
    transaction: Transaction, uploader: Reader, kb: Mapping[str, Any], settled: Settled, actor: Actor
) -> None:
    """Do what an upload comes to for documents that were there."""
    for uid, amendment in settled.amendments:
        (found,) = await transaction.all(_DOCUMENTS, kb=uploader.kb, documents=[uid])
        await amend(transaction, uploader, found["document"], amendment, tenant=kb["tenant"], actor=actor)
    for promotion in settled.promotions:
        replaced = rows.replaces_json(replaceable(uploader)) if promotion.replaces else None
        (found,) = await transaction.all(_DOCUMENTS, kb=uploader.kb, documents=[promotion.document])
        promoted = rows.standing(found["document"])
        highest = await highest_versions(transaction, uploader, [promoted], but=promoted.uid)
        await transaction.all(
            _PROMOTE,
            kb=uploader.kb,
            document=promoted.uid,
            version=versions_of([promoted], highest)[0],
            replaces=replaced,
        )
        for uid in promotion.gone:
            await fence(transaction, uploader.kb, uid)
            revision = await hide(transaction, uploader.kb, [uid], visible=True)
            await audit(transaction, kb["tenant"], events.document_replaced(uid, revision))
    for uid in settled.again:
        await queue_again(transaction, uploader.kb, uid)


async def _insert(
    transaction: Transaction,
    kb: Mapping[str, Any],
    uploader: Reader,
    documents: Sequence[NewDocument],
    replaces: Replaces | None,
    actor: Actor,
) -> None:
    if not documents:
        return
    uid = KbUid(kb["uid"])
    versions = versions_of(documents, await highest_versions(transaction, uploader, documents))
    inserted = [
        _properties(new, seq=seq, version=version, replaces=replaces)
        for seq, (new, version) in enumerate(zip(documents, versions, strict=True), kb["accepted"] + 1)
    ]
    await transaction.all(_INSERT, kb=uid, documents=inserted, journey=list(JOURNEY), actor=actor.subject)
    await transaction.all(_COUNT_ACCEPTED, kb=uid, count=len(documents), bytes=sum(new.bytes for new in documents))
    await change(transaction, uid, [new.uid for new in documents])
    accepted = [events.document_accepted(actor, new.uid, int(kb["revision"])) for new in documents]
    await audit(transaction, kb["tenant"], *accepted)


async def _read(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid]) -> tuple[Document, ...]:
    found = await transaction.all(_DOCUMENTS, kb=kb, documents=list(documents))
    by_uid = {each["document"]["uid"]: rows.document(each["document"], each["document"]["stages"]) for each in found}
    return tuple(by_uid[uid] for uid in documents)


def _properties(new: NewDocument, *, seq: int, version: int, replaces: Replaces | None) -> dict[str, object]:
    return {
        "uid": new.uid,
        "id": new.uid,
        "seq": seq,
        "name": new.name,
        "source": new.source,
        "version": version,
        "sha256": new.sha256,
        "live": True,
        "labels": sorted(new.labels or ()),
        "metadata_json": json.dumps(dict(new.metadata or {})),
        "facts": facts_of(new.metadata or {}),
        "replaces": rows.replaces_json(replaces),
        "media_type": new.media_type,
        "bytes": new.bytes,
    }
