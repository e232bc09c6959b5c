"""Take a document half-way through its journey, by the pipeline of commit 3eaac8c.

Run by ``make.py`` with that commit's packages on the path and its data directory in the environment; nothing else
imports it. Prints the document's id, status and stages.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from typing import Any

import numpy as np

from atoll import settings
from atoll.adapters.memory.doorbell import MemoryDoorbell
from atoll.adapters.memory.extractor import MemoryExtractor
from atoll.adapters.memory.parser import MemoryParser
from atoll.bootstrap.stores import blobs, records
from atoll.domain.document import NewDocument
from atoll.domain.embedding import EmbedderCard, TokenSpans
from atoll.domain.ids import DocumentUid, new_uid
from atoll.domain.principal import Actor
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.workshop import Workshop

#: Passages of the document: two batches, of which one is stored.
PARTS = 300


async def main() -> None:
    """Accept a document, work on it, and stop after its first stored batch."""

    class Embedder:
        """Vectors of the size that the store holds, of no meaning: nobody will ever see them."""

        async def describe(self) -> EmbedderCard:
            return EmbedderCard("half", 384, 256, 64, "half")

        async def embed(self, texts: list[str], *, input_type: object) -> Any:
            del input_type
            return np.tile(np.eye(1, 384, dtype=np.float32), (len(texts), 1))

        async def tokenize(self, texts: list[str]) -> list[TokenSpans]:
            return [TokenSpans((*(at + 1 for at, c in enumerate(text) if c == " "), len(text))) for text in texts]

    class Contents:
        """Stores one batch and stops."""

        def __init__(self, real: Any) -> None:
            self._real = real

        async def store_batch(self, claim: Any, batch: Any, **progress: Any) -> None:
            await self._real.store_batch(claim, batch, **progress)
            raise asyncio.CancelledError

    values = settings.load()
    store, files = records(values), blobs(values)
    kb = await store.knowledge_bases.get(await store.tenants.ensure("default"), "default")
    text = "\n".join(f"# Part {n}\nAda Berg counts the lantern of part {n} once more." for n in range(PARTS))
    intake = await files.receive(kb.uid)
    uid = DocumentUid(new_uid())
    file = await intake.open(uid)
    await file.write(text.encode())
    stored = await file.close()
    await intake.keep()
    new = NewDocument(uid, "half.txt", None, "text/plain", stored.bytes, stored.sha256, (), {})
    await store.catalogue.accept(kb.uid, [new], replace=False, labels=None, actor=Actor("fixture", "-"))
    await intake.settle([uid])
    unused: Any = None
    shop = Workshop(
        ledger=store.ledger, contents=Contents(store.contents), blobs=files, parser=MemoryParser(),
        extractor=MemoryExtractor(), embedder=Embedder(), sparse=unused, vectors=unused, graph_index=unused,
        doorbell=MemoryDoorbell(), chunk_tokens=1200, overlap_tokens=100, lease_seconds=20.0, slice_seconds=60.0,
        purge_grace_seconds=5.0,
    )  # fmt: skip
    with contextlib.suppress(asyncio.CancelledError):
        await Pipeline(shop, "half").advance(uid)
    found = await store.catalogue.get(kb.uid, uid, None)
    stages = {stage.name.value: [stage.state.value, stage.done] for stage in found.stages}
    sys.stdout.write(json.dumps({"id": uid, "status": found.status.value, "stages": stages}))
    await store.database.aclose()
    files.close()


if __name__ == "__main__":
    asyncio.run(main())
