"""What a worker process runs on."""

from __future__ import annotations

import os
import secrets

from atoll.bootstrap.clients import (
    answered,
    celery,
    doorbell,
    embedder,
    extractor,
    page_embedder,
    page_index,
    parser,
    sparse,
    vectors,
)
from atoll.bootstrap.indexing import reindex
from atoll.bootstrap.stores import artefacts, blobs, passwords, records
from atoll.ingest.models import Models
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.rebuild.watch import IndexWatch
from atoll.ingest.workshop import Workshop
from atoll.settings import Settings


class Ingestion:
    """What a worker process runs on. Clients are opened by ``prepare``, on the loop that uses them."""

    def __init__(self, settings: Settings) -> None:
        self.owner = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self.celery = celery(settings)
        self.doorbell = doorbell(settings, self.celery)
        self._settings = settings
        self._extractor = extractor(settings)
        self._records = records(settings)
        self.reconciliation = self._records.reconciliation

    async def prepare(self) -> None:
        """Open the clients and make sure that the collections are there."""
        settings = self._settings
        self._embedder = embedder(settings)
        self._page_embedder, self._page_index = page_embedder(settings), page_index(settings)
        models = Models(self._embedder, self._page_embedder)
        card = await answered(models.text, "embedding server")
        self._vectors = vectors(settings, card)
        await answered(self._vectors.prepare, "vector store")
        outputs = artefacts(settings)
        self.watch = IndexWatch(
            reindex(self._records, self._vectors, self._page_index, outputs, card),
            every_seconds=settings.worker.index_check_seconds,
            retire=self._vectors.retire,
        )
        for index in (self._vectors, self._page_index):
            index.when_made(self.watch.hurry)
        shop = Workshop(
            ledger=self._records.ledger,
            contents=self._records.contents,
            blobs=blobs(settings),
            passwords=passwords(settings),
            artefacts=outputs,
            parser=parser(settings),
            extractor=self._extractor,
            embedder=self._embedder,
            models=models,
            sparse=sparse(),
            vectors=self._vectors,
            graph_index=self._vectors,
            doorbell=self.doorbell,
            chunk_tokens=settings.chunking.chunk_tokens,
            overlap_tokens=settings.chunking.overlap_tokens,
            lease_seconds=settings.worker.lease_seconds,
            slice_seconds=settings.worker.slice_seconds,
            purge_grace_seconds=settings.worker.purge_grace_seconds,
            page_embedder=self._page_embedder,
            page_index=self._page_index,
        )
        self.pipeline = Pipeline(shop, self.owner)

    async def close(self) -> None:
        """Close the clients."""
        await self._extractor.aclose()
        await self._embedder.aclose()
        await self._vectors.close()
        await self._page_index.close()
        if self._page_embedder is not None:
            await self._page_embedder.aclose()
        self.doorbell.close()
        await self._records.aclose()
