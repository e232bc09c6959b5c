"""Letting a document be read again, with the password that an encrypted one needs for it."""

from __future__ import annotations

from atoll.domain.document import Document, Stage
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import AtollError
from atoll.ports.passwords import Passwords
from atoll.ports.record_store import RecordStore


async def read_again(
    records: RecordStore,
    passwords: Passwords,
    reader: Reader,
    document: DocumentUid,
    stage: Stage,
    *,
    password: str | None,
    actor: Actor,
) -> Document:
    """Queue a new reading of a document, from a stage on. Raises what `Lifecycle.reprocess` raises."""
    if password is None:
        return await records.lifecycle.reprocess(reader, document, stage, actor)
    # Before it is queued: a worker may begin at once. The folder of the new reading is made by that worker.
    found = await records.catalogue.get(reader, document)
    await passwords.keep(reader.kb, found.uid, password)
    try:
        return await records.lifecycle.reprocess(reader, document, stage, actor)
    except AtollError:
        if found.other_reading is None:
            await passwords.forget(reader.kb, found.uid)
        raise
