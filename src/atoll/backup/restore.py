"""Restoring a backup into an empty installation, whichever record store it has.

Nothing is seen before the end, and a restoration that was broken off is begun anew. The vector index is not part of
it: workers rebuild it from the restored records.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from atoll.backup import codec
from atoll.backup.create import pepper_mark
from atoll.backup.layout import (
    ACCOUNTS,
    AUDIT,
    DOCUMENTS,
    ENTITIES,
    FILES,
    KBS,
    ORIGINAL,
    OUTPUTS,
    RECORDS,
    Manifest,
    SavedKb,
    lines,
    pieces,
    space_translated,
)
from atoll.backup.verify import verify
from atoll.domain.ids import DocumentUid, KbUid
from atoll.ports.archive import Restoration, RestoredRecords
from atoll.ports.artefacts import ArtefactArchive
from atoll.ports.blobs import Blobs

_BATCH_EVENTS = 1000


async def restore(
    folder: Path,
    store: Restoration,
    records: RestoredRecords,
    blobs: Blobs,
    outputs: ArtefactArchive,
    *,
    pepper: bytes,
    on_document: Callable[[str, int, int], None] = lambda *_: None,
) -> tuple[Manifest, bool]:
    """Fill an empty installation; return the manifest and whether its keys work here.

    Keys work only under the pepper that their hashes were made with; under another one they are left out.

    Raises:
        BadInput, ChecksumMismatch: as for ``verify``; nothing was written.
        Conflict: the installation is in use; nothing was written.
        StorageFull: the disk is full; make room and restore again.
    """
    manifest = await asyncio.to_thread(verify, folder)
    accounts = codec.load_accounts(list(lines(folder / ACCOUNTS)))
    keys_hold = pepper_mark(pepper) == manifest.pepper_mark
    for kb, document in await store.begin(accounts):
        await blobs.remove(kb, document)
    for saved in manifest.kbs:
        await _kb(folder / KBS / saved.uid, saved, records, blobs, outputs, on_document)
    events = []
    for value in lines(folder / AUDIT):
        events.append(codec.load_event(value))
        if len(events) == _BATCH_EVENTS:
            await records.events(events)
            events = []
    await records.events(events)
    await asyncio.to_thread(os.sync)
    await store.end(accounts if keys_hold else replace(accounts, keys=()))
    return manifest, keys_hold


async def _kb(
    place: Path,
    saved: SavedKb,
    records: RestoredRecords,
    blobs: Blobs,
    outputs: ArtefactArchive,
    on_document: Callable[[str, int, int], None],
) -> None:
    kb = KbUid(saved.uid)
    for number, entry in enumerate(lines(place / DOCUMENTS), 1):
        await _document(place / entry["document"], kb, DocumentUid(entry["document"]), records, blobs, outputs)
        on_document(saved.name, number, saved.documents)
    for value in lines(place / ENTITIES):
        await records.entity_vectors(kb, codec.load_entities(value))


async def _document(
    place: Path, kb: KbUid, uid: DocumentUid, records: RestoredRecords, blobs: Blobs, outputs: ArtefactArchive
) -> None:
    # Files first: a worker may begin with a document as soon as its record is there.
    async with blobs.restore(kb, uid) as target:
        await asyncio.to_thread(_copy, place / FILES / ORIGINAL, target)
    for path in sorted((place / FILES / OUTPUTS).rglob("*")):
        if path.is_file():
            await _output(path, outputs, kb, uid, path.relative_to(place / FILES / OUTPUTS).as_posix())
    for value in lines(place / RECORDS):
        if "document" in value:
            await records.document(codec.load_document(value["document"]))
        else:
            await records.contents(kb, uid, codec.load_contents(value["contents"]))


async def _output(path: Path, outputs: ArtefactArchive, kb: KbUid, uid: DocumentUid, name: str) -> None:
    async with outputs.restore(kb, uid, name) as target:
        await asyncio.to_thread(_copy, path, target)


def _copy(path: Path, target: BinaryIO) -> None:
    with space_translated():
        target.writelines(pieces(path.open("rb")))
