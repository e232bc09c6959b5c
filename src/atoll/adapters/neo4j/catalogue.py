"""Accepting and listing documents on Neo4j."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.patterns import facts_of, regex_of
from atoll.adapters.neo4j.transitions import (
    CHANGE,
    Event,
    audit,
    change,
    fence,
    labels_of,
    lock_kb,
    renew_journey,
)
from atoll.domain.document import JOURNEY, Accepted, Document, DocumentPage, NewDocument, StageState, Status
from atoll.domain.ids import BatchId, DocumentUid, KbUid, new_uid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import BadInput, NotFound, QuotaExceeded

ENDED = (Status.FAILED, Status.QUARANTINED, Status.CANCELLED)
UNDER_WAY = (Status.QUEUED, Status.PROCESSING)

_KNOWN = (
    "UNWIND $hashes AS sha256 MATCH (d:Document {kb: $kb, sha256: sha256}) "
    f"WHERE d.deleted_at IS NULL AND {rows.SEEN} WITH d ORDER BY d.seq "
    "RETURN d.uid AS uid, d.sha256 AS sha256, d.status AS status"
)
_VERSIONS = (
    "UNWIND $names AS name OPTIONAL MATCH (d:Document {kb: $kb, name: name}) "
    "RETURN name, coalesce(max(d.version), 0) AS version"
)
# The gateway rings right after this transaction; the reconciler need not ring as well.
_INSERT = (
    "UNWIND $documents AS new CREATE (d:Document {uid: new.uid, kb: $kb}) SET d += new, d.status = $queued, "
    "d.visible = false, d.indexed = false, d.pages = 0, d.passages = 0, d.entities = 0, d.warnings_json = '[]', "
    "d.created_by = $actor, d.created_at = timestamp(), d.rung_at = timestamp() "
    "WITH d UNWIND range(0, size($journey) - 1) AS position "
    "CREATE (:Stage {document: d.uid, kb: $kb, name: $journey[position], position: position, state: $waiting, "
    "batch: 0, token: 0, lease_until: 0, not_before: 0, failures: 0, attempts: 0, claimed_at: 0, worked: 0, done: 0, "
    "total: 0})"
)
_BATCH = (
    "CREATE (b:Batch {id: $batch, kb: $kb}) WITH b UNWIND $documents AS uid "
    "MATCH (d:Document {uid: uid, kb: $kb}) CREATE (b)-[:HOLDS {kb: $kb}]->(d)"
)


class Neo4jCatalogue:
    """Port ``Catalogue``.

    Args:
        database: the record store.
        waiting_documents: how many documents may wait in one knowledge base.
    """

    def __init__(self, database: Database, *, waiting_documents: int) -> None:
        self._database = database
        self._waiting_documents = waiting_documents

    async def accept(
        self, reader: Reader, documents: Sequence[NewDocument], *, replace: bool, actor: Actor
    ) -> Accepted:
        """Write documents with their ledger rows and audit events."""
        batch = BatchId(new_uid())

        async def work(transaction: Transaction) -> Accepted:
            owner = await lock_kb(transaction, reader.kb)
            if owner is None or owner.get("deleted_at") is not None:
                raise NotFound("the knowledge base is gone")
            places, duplicates, ended = await _settle(transaction, reader, documents)
            fresh = [new for new, uid in zip(documents, places, strict=True) if uid == new.uid]
            if not await _is_written(transaction, reader.kb, batch):
                await self._check_room(transaction, owner, documents)
                for uid in ended:
                    await queue_again(transaction, reader.kb, uid)
                await _insert(
                    transaction, owner, fresh, replaces=_replaceable(reader) if replace else None, actor=actor
                )
                await transaction.all(_BATCH, kb=reader.kb, batch=batch, documents=list(dict.fromkeys(places)))
            return Accepted(
                batch=batch,
                documents=await _read(transaction, reader.kb, list(dict.fromkeys(places))),
                duplicates=duplicates,
            )

        # The files of an upload that was not accepted are removed: whether it was must not stay open.
        return await self._database.write(work, again_if_unsure=True)

    async def get(self, reader: Reader, document: DocumentUid) -> Document:
        """Return a document with its stages."""

        async def work(transaction: Transaction) -> Document:
            return await read_document(transaction, reader, document)

        return await self._database.read(work)

    async def page(
        self, reader: Reader, *, status: Status | None, name: str | None, limit: int, cursor: str | None
    ) -> DocumentPage:
        """List documents, newest first."""
        values: dict[str, object] = {"kb": reader.kb, "labels": labels_of(reader.labels), "before": _cursor(cursor)}
        where = f"d.deleted_at IS NULL AND {rows.SEEN}"
        if name is not None:
            where += " AND d.name =~ $pattern"
            values["pattern"] = regex_of(name)
        of_status = where if status is None else f"{where} AND d.status = $status"

        async def work(transaction: Transaction) -> DocumentPage:
            counts = await transaction.all(
                f"MATCH (d:Document {{kb: $kb}}) WHERE {where} RETURN d.status AS status, count(*) AS n", **values
            )
            found = await transaction.all(
                f"MATCH (d:Document {{kb: $kb}}) WHERE d.seq < $before AND {of_status} "
                f"WITH d ORDER BY d.seq DESC LIMIT $limit RETURN {rows.DOCUMENT} AS document ORDER BY d.seq DESC",
                **values,
                status=status,
                limit=limit + 1,
            )
            return DocumentPage(
                documents=tuple(rows.document(record["document"]) for record in found[:limit]),
                counts={Status(record["status"]): record["n"] for record in counts},
                next_cursor=str(found[limit - 1]["document"]["seq"]) if len(found) > limit else None,
            )

        return await self._database.read(work)

    async def batch(self, reader: Reader, batch: str) -> tuple[Document, ...]:
        """Return the documents of one upload."""

        async def work(transaction: Transaction) -> tuple[Document, ...]:
            found = await transaction.all(
                "MATCH (:Batch {id: $batch, kb: $kb})-[:HOLDS]->(d:Document) "
                f"WHERE d.deleted_at IS NULL AND {rows.SEEN} RETURN {rows.DOCUMENT} AS document ORDER BY d.seq",
                kb=reader.kb,
                batch=batch,
                labels=labels_of(reader.labels),
            )
            if not found:
                raise NotFound(f"there is no batch {batch} in this knowledge base")
            return tuple(rows.document(record["document"]) for record in found)

        return await self._database.read(work)

    async def census(self) -> dict[str, float]:
        """Return how many documents of the installation have each status; for its operator, not for tenants."""

        async def work(transaction: Transaction) -> dict[str, float]:
            found = await transaction.all(
                "MATCH (d:Document) WHERE d.deleted_at IS NULL RETURN d.status AS status, count(*) AS n"
            )
            return {status.value: 0.0 for status in Status} | {each["status"]: float(each["n"]) for each in found}

        return await self._database.read(work)

    async def _check_room(
        self, transaction: Transaction, kb: Mapping[str, Any], documents: Sequence[NewDocument]
    ) -> None:
        counted = await transaction.one(
            "MATCH (d:Document {kb: $kb}) WHERE d.status IN $under_way AND d.deleted_at IS NULL RETURN count(d) AS n",
            kb=kb["uid"],
            under_way=list(UNDER_WAY),
        )
        assert counted is not None, "an aggregation returns one record"
        if counted["n"] + len(documents) > self._waiting_documents:
            raise QuotaExceeded(
                f"{counted['n']} documents wait already, at most {self._waiting_documents} may; upload more when some "
                "are ready",
                retry_after_seconds=30,
            )
        quota = json.loads(kb["quota_json"])
        wanted = {"documents": len(documents), "bytes": sum(each.bytes for each in documents)}
        for name, more in wanted.items():
            if name in quota and kb[name] + more > quota[name]:
                raise QuotaExceeded(
                    f"the knowledge base may hold {quota[name]} {name} and holds {kb[name]}; delete some or raise the "
                    "quota",
                    retry_after_seconds=3600,
                )


async def find_kb_tenant(transaction: Transaction, kb: KbUid) -> str:
    """Return the tenant of a knowledge base. Raises NotFound."""
    record = await transaction.one(
        "MATCH (k:Kb {uid: $kb}) WHERE k.deleted_at IS NULL RETURN k.tenant AS tenant", kb=kb
    )
    if record is None:
        raise NotFound("the knowledge base is gone")
    return str(record["tenant"])


async def find_document(transaction: Transaction, reader: Reader, document: DocumentUid) -> Mapping[str, Any]:
    """Return the properties of a document that the reader sees. Raises NotFound."""
    record = await transaction.one(
        "MATCH (d:Document {uid: $document, kb: $kb}) "
        f"WHERE d.deleted_at IS NULL AND {rows.SEEN} RETURN d {{.*}} AS document",
        kb=reader.kb,
        document=document,
        labels=labels_of(reader.labels),
    )
    if record is None:
        raise NotFound(f"there is no document {document} in this knowledge base")
    found: Mapping[str, Any] = record["document"]
    return found


async def read_document(transaction: Transaction, reader: Reader, document: DocumentUid) -> Document:
    """Return a document with its stages. Raises NotFound."""
    record = await transaction.one(
        "MATCH (d:Document {uid: $document, kb: $kb}) "
        f"WHERE d.deleted_at IS NULL AND {rows.SEEN} RETURN {rows.DOCUMENT} AS document",
        kb=reader.kb,
        document=document,
        labels=labels_of(reader.labels),
    )
    if record is None:
        raise NotFound(f"there is no document {document} in this knowledge base")
    return rows.document(record["document"])


async def queue_again(transaction: Transaction, kb: KbUid, document: DocumentUid) -> None:
    """Let the document's journey begin anew."""
    # From the first stage on: stages find their artefacts and call no model again.
    await fence(transaction, kb, document)
    await renew_journey(transaction, kb, document)
    await transaction.all(
        "MATCH (s:Stage {document: $document, kb: $kb}) "
        "SET s.state = $waiting, s.batch = 0, s.failures = 0, s.not_before = 0, s.error = null "
        "WITH count(s) AS stages MATCH (d:Document {uid: $document, kb: $kb}) "
        f"SET d.error_json = null, d.returns = 0, d.status = $queued, d.rung_at = 0 {CHANGE}",
        kb=kb,
        document=document,
        waiting=StageState.WAITING,
        queued=Status.QUEUED,
    )


async def _read(transaction: Transaction, kb: KbUid, documents: Sequence[DocumentUid]) -> tuple[Document, ...]:
    found = await transaction.all(
        f"UNWIND $documents AS uid MATCH (d:Document {{uid: uid, kb: $kb}}) RETURN {rows.DOCUMENT} AS document",
        kb=kb,
        documents=list(documents),
    )
    by_uid = {record["document"]["uid"]: rows.document(record["document"]) for record in found}
    return tuple(by_uid[uid] for uid in documents)


async def _is_written(transaction: Transaction, kb: KbUid, batch: BatchId) -> bool:
    """Whether an earlier run of this transaction was committed without our hearing of it."""
    return await transaction.one("MATCH (b:Batch {id: $batch, kb: $kb}) RETURN 1", kb=kb, batch=batch) is not None


async def _settle(
    transaction: Transaction, reader: Reader, documents: Sequence[NewDocument]
) -> tuple[list[DocumentUid], tuple[tuple[str, DocumentUid], ...], list[DocumentUid]]:
    """Return for each new document which one it is, the duplicates among them, and what has to be queued again."""
    known: dict[str, DocumentUid] = {}
    ended: dict[DocumentUid, bool] = {}
    found = await transaction.all(
        _KNOWN, kb=reader.kb, labels=labels_of(reader.labels), hashes=sorted({new.sha256 for new in documents})
    )
    for record in found:
        uid = known.setdefault(record["sha256"], DocumentUid(record["uid"]))
        if uid == record["uid"]:
            ended[uid] = Status(record["status"]) in ENDED
    places: list[DocumentUid] = []
    duplicates: list[tuple[str, DocumentUid]] = []
    for new in documents:
        uid = known.get(new.sha256, new.uid)
        if uid != new.uid:
            duplicates.append((new.name, uid))
        elif reader.labels is None or set(new.labels) <= reader.labels:
            known[new.sha256] = new.uid
        places.append(uid)
    return places, tuple(duplicates), [uid for uid in dict.fromkeys(places) if ended.get(uid)]


def _replaceable(reader: Reader) -> str:
    """What an upload may replace: only documents that its uploader may see."""
    return json.dumps("*" if reader.labels is None else sorted(reader.labels))


async def _insert(
    transaction: Transaction,
    kb: Mapping[str, Any],
    documents: Sequence[NewDocument],
    *,
    replaces: str | None,
    actor: Actor,
) -> None:
    if not documents:
        return
    found = await transaction.all(_VERSIONS, kb=kb["uid"], names=sorted({new.name for new in documents}))
    versions: dict[str, int] = {record["name"]: record["version"] for record in found}
    inserted = []
    for seq, new in enumerate(documents, kb["accepted"] + 1):
        versions[new.name] += 1
        inserted.append(_properties(new, seq=seq, version=versions[new.name], replaces=replaces))
    await transaction.all(
        _INSERT,
        kb=kb["uid"],
        documents=inserted,
        queued=Status.QUEUED,
        waiting=StageState.WAITING,
        journey=list(JOURNEY),
        actor=actor.subject,
    )
    await transaction.all(
        "MATCH (k:Kb {uid: $kb}) SET k.accepted = k.accepted + $count, k.documents = k.documents + $count, "
        "k.bytes = k.bytes + $bytes",
        kb=kb["uid"],
        count=len(documents),
        bytes=sum(new.bytes for new in documents),
    )
    await change(transaction, kb["uid"], [new.uid for new in documents])
    events = (
        Event(actor, "document.accepted", f"document {new.uid}", revision=int(kb["revision"])) for new in documents
    )
    await audit(transaction, kb["tenant"], *events)


def _properties(new: NewDocument, *, seq: int, version: int, replaces: str | None) -> dict[str, object]:
    labels = sorted(new.labels)
    return {
        "uid": new.uid,
        "seq": seq,
        "name": new.name,
        "source": new.source,
        "version": version,
        "sha256": new.sha256,
        "live_bytes": rows.live_bytes(new.sha256, labels),
        "labels": labels,
        "metadata_json": json.dumps(dict(new.metadata)),
        "facts": facts_of(new.metadata),
        "replaces": replaces,
        "media_type": new.media_type,
        "bytes": new.bytes,
    }


_LARGEST = 2**62


def _cursor(cursor: str | None) -> int:
    if cursor is None:
        return _LARGEST
    if not cursor.isdecimal() or len(cursor) > len(str(_LARGEST)) - 1:
        raise BadInput("the cursor is not one that a listing returned; start again without it")
    return int(cursor)
