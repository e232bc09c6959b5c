"""Taking a backup while everything goes on.

A knowledge base is copied as it was at one revision: its visible documents are listed in one read, and their contents,
which never change, are copied afterwards. A document of the list that was deleted before it was copied makes the list
void; then another is read, and only what is new in it is copied. Vectors of entities come last: as long as no document
of the list has gone, every entity that two of its passages mention still has one.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from atoll import files
from atoll.backup import codec
from atoll.backup.layout import (
    ACCOUNTS,
    AUDIT,
    DOCUMENTS,
    ENTITIES,
    FILES,
    FORMAT,
    KBS,
    MANIFEST,
    ORIGINAL,
    OUTPUTS,
    PARTS,
    RECORDS,
    Manifest,
    Part,
    PartWriter,
    SavedKb,
    line,
    pieces,
    sealed,
    space_translated,
    write_part,
)
from atoll.domain.document import Status
from atoll.domain.ids import DocumentUid, KbUid
from atoll.errors import ArtefactMissing, AtollError, BadInput, DependencyDown
from atoll.ports.archive import Archive, DocumentRecord, KbSnapshot
from atoll.ports.artefacts import ArtefactArchive
from atoll.ports.blobs import Blobs

#: Lists that may be void in a row before a backup gives up.
MAX_ROUNDS = 30
_BATCH_PASSAGES = 256
_BATCH_ENTITIES = 1000
_BATCH_EVENTS = 1000
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class _Copied:
    """A document in the backup: as visible or as under way, and the part that lists its files."""

    visible: bool
    parts: Part


class BackupWriter:
    """One backup.

    Args:
        archive: the records.
        blobs: the files that were uploaded.
        outputs: what stages left.
        folder: where the backup is to be; it appears there whole or not at all.
        pepper: what hashes of keys are keyed with; only a mark of it is kept.
        on_document: told the name of each knowledge base and how many of its documents are copied, of how many.
    """

    def __init__(
        self,
        archive: Archive,
        blobs: Blobs,
        outputs: ArtefactArchive,
        folder: Path,
        *,
        pepper: bytes,
        on_document: Callable[[str, int, int], None] = lambda *_: None,
    ) -> None:
        self._archive = archive
        self._blobs = blobs
        self._outputs = outputs
        self._folder = folder
        self._draft = folder.with_name(folder.name + _PARTIAL)
        self._pepper = pepper
        self._on_document = on_document

    async def write(self) -> Manifest:
        """Take the backup.

        Raises:
            BadInput: there is something at the place already.
            StorageFull: the disk is full; nothing is left behind.
            DependencyDown: documents are deleted faster than they can be copied, or the record store is away.
        """
        if self._folder.exists():
            raise BadInput(f"{self._folder} exists already; name another place")
        with space_translated():
            shutil.rmtree(self._draft, ignore_errors=True)
            files.private_folder(self._draft)
        try:
            manifest = await self._write()
            await asyncio.to_thread(os.sync)
            self._draft.rename(self._folder)
        except BaseException:
            shutil.rmtree(self._draft, ignore_errors=True)
            raise
        return manifest

    async def _write(self) -> Manifest:
        accounts = await self._archive.accounts()
        saved = [each for kb in accounts.kbs if (each := await self._kb(kb.uid)) is not None]
        kbs = tuple(snapshot.kb for snapshot, _ in saved)
        tenants = [line(each) for each in codec.dump_accounts(replace(accounts, kbs=kbs))]
        parts = (
            write_part(self._draft, ACCOUNTS, tenants),
            await self._events(),
        )
        manifest = Manifest(
            format=FORMAT,
            atoll=version("atoll"),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            pepper_mark=pepper_mark(self._pepper),
            kbs=tuple(each for _, each in saved),
            parts=parts,
        )
        write_part(self._draft, MANIFEST, [sealed(manifest)])
        return manifest

    async def _kb(self, kb: KbUid) -> tuple[KbSnapshot, SavedKb] | None:
        folder = self._draft / KBS / kb
        copied: dict[DocumentUid, _Copied] = {}
        for _ in range(MAX_ROUNDS):
            snapshot = await self._archive.snapshot(kb)
            if snapshot is None:
                break
            if not await self._copy_missing(folder, snapshot, copied):
                continue
            entities = await self._entities(folder, kb)
            later = await self._archive.snapshot(kb)
            if later is not None and all(
                uid in later.documents for uid, visible in snapshot.documents.items() if visible
            ):
                return snapshot, self._sealed_kb(folder, snapshot, copied, entities)
        else:
            raise DependencyDown(
                "documents are deleted faster than they can be copied; take the backup at a quieter time"
            )
        shutil.rmtree(folder, ignore_errors=True)  # the knowledge base was deleted
        return None

    async def _copy_missing(self, folder: Path, snapshot: KbSnapshot, copied: dict[DocumentUid, _Copied]) -> bool:
        """Copy what the list has and the backup has not; return False when something of it is gone."""
        whole = True
        for number, (uid, visible) in enumerate(snapshot.documents.items(), 1):
            known = copied.get(uid)
            if known is None or known.visible != visible:
                parts = await self._document(folder, snapshot.kb.uid, uid, visible=visible)
                if parts is None:
                    whole = False
                    continue
                copied[uid] = _Copied(visible, parts)
            self._on_document(snapshot.kb.name, number, len(snapshot.documents))
        return whole

    async def _document(self, folder: Path, kb: KbUid, uid: DocumentUid, *, visible: bool) -> Part | None:
        """Copy one document; None when it is gone."""
        place = folder / uid
        shutil.rmtree(place, ignore_errors=True)
        record = await self._archive.document(kb, uid)
        if record is None:
            return None
        with PartWriter(place, RECORDS) as records:
            records.write(line({"document": codec.dump_document(record if visible else _under_way(record))}))
            if visible and await self._contents(records, kb, uid) != record.document.passages:
                return None  # it is being purged
        parts = [records.part]
        try:
            parts += await self._files(place, kb, uid, artefacts=visible)
        except (FileNotFoundError, ArtefactMissing) as error:
            if await self._archive.document(kb, uid) is None:
                return None
            raise AtollError(f"a file of document {uid} is missing: {error}") from error
        listed = [line(asdict(part)) for part in parts]
        return replace(write_part(place, PARTS, listed), path=f"{uid}/{PARTS}")

    async def _contents(self, records: PartWriter, kb: KbUid, uid: DocumentUid) -> int:
        """Write a document's passages and what belongs to them; return how many there were."""
        after, count = -1, 0
        while batch := await self._archive.contents(kb, uid, after=after, limit=_BATCH_PASSAGES):
            records.write(line({"contents": codec.dump_contents(batch)}))
            after, count = batch.passages[-1].ordinal, count + len(batch.passages)
        return count

    async def _files(self, place: Path, kb: KbUid, uid: DocumentUid, *, artefacts: bool) -> list[Part]:
        original = await self._blobs.open(kb, uid)
        parts = [await asyncio.to_thread(write_part, place, f"{FILES}/{ORIGINAL}", pieces(original))]
        for name in await self._outputs.names(kb, uid) if artefacts else ():
            content = pieces(await self._outputs.read(kb, uid, name))
            parts.append(await asyncio.to_thread(write_part, place, f"{FILES}/{OUTPUTS}/{name}", content))
        return parts

    async def _entities(self, folder: Path, kb: KbUid) -> Part:
        after: str | None = None
        with PartWriter(folder, ENTITIES) as entities:
            while (batch := await self._archive.entity_vectors(kb, after=after, limit=_BATCH_ENTITIES)).keys:
                entities.write(line(codec.dump_entities(batch)))
                after = batch.keys[-1]
        return entities.part

    def _sealed_kb(
        self, folder: Path, snapshot: KbSnapshot, copied: dict[DocumentUid, _Copied], entities: Part
    ) -> SavedKb:
        for uid in copied.keys() - snapshot.documents.keys():
            shutil.rmtree(folder / uid, ignore_errors=True)
        listed = (
            line({"document": uid, "visible": visible, "parts": asdict(copied[uid].parts)})
            for uid, visible in snapshot.documents.items()
        )
        documents = write_part(folder, DOCUMENTS, listed)
        return SavedKb(
            uid=snapshot.kb.uid,
            tenant=snapshot.kb.tenant,
            name=snapshot.kb.name,
            revision=snapshot.kb.revision,
            documents=len(snapshot.documents),
            passages=snapshot.kb.passages,
            parts=(documents, entities),
        )

    async def _events(self) -> Part:
        after = 0
        with PartWriter(self._draft, AUDIT) as audit:
            while events := await self._archive.events(after=after, limit=_BATCH_EVENTS):
                for event in events:
                    audit.write(line(codec.dump_event(event)))
                after = events[-1].id
        return audit.part


def pepper_mark(pepper: bytes) -> str:
    """Return what tells two peppers apart and nothing else about them."""
    return hmac.digest(pepper, b"backup mark", "sha256").hex()[:16]


def _under_way(record: DocumentRecord) -> DocumentRecord:
    """Return a document that was not visible yet: failed and cancelled ones as they are, others to begin anew."""
    document = record.document
    if not record.visible and document.status not in {Status.QUEUED, Status.PROCESSING}:
        return record
    fresh = replace(
        document,
        status=Status.QUEUED,
        pages=0,
        passages=0,
        entities=0,
        ready_at=None,
        error=None,
        warnings=(),
        stages=(),
        artefacts={},
    )
    return replace(record, document=fresh, visible=False)
