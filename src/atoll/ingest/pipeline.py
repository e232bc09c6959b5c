"""A document's journey: claim a stage, work on it while holding its lease, go on or say why not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from atoll.domain.document import DocumentError, Stage
from atoll.domain.ids import DocumentUid
from atoll.errors import (
    ArtefactMissing,
    AtollError,
    BadInput,
    Conflict,
    DependencyDown,
    DocumentUnreadable,
    LeaseLost,
    StorageFull,
)
from atoll.ingest.keys import first_changed, first_key, next_key
from atoll.ingest.outputs import Outputs
from atoll.ingest.rereading import share_files
from atoll.ingest.stages.chunk import make_passages
from atoll.ingest.stages.embed import embed
from atoll.ingest.stages.embed_names import embed_names
from atoll.ingest.stages.embed_pages import embed_pages
from atoll.ingest.stages.extract import extract
from atoll.ingest.stages.index import index
from atoll.ingest.stages.parse import parse
from atoll.ingest.stages.publish import publish
from atoll.ingest.stages.purge import purge
from atoll.ingest.stages.relabel import relabel
from atoll.ingest.stages.store import store
from atoll.ingest.workshop import Job, Workshop
from atoll.ports.ledger import Claim, DocumentFacts

logger = logging.getLogger(__name__)

#: Times that a stage may bring a process down, or fail for a reason of ours, before its document is given up.
MAX_FAILURES = 2
_MAX_BACKOFF_SECONDS = 30.0
_REMEMBERED_SETBACKS = 1024
#: Times that a document may be sent back to an earlier stage, so that workers which differ do not send it for ever.
MAX_RETURNS = 10


class Pipeline:
    """Advances documents. One instance serves all threads of a worker; everything that matters is in the ledger."""

    def __init__(self, shop: Workshop, owner: str) -> None:
        self._shop = shop
        self._owner = owner
        self._setbacks: OrderedDict[DocumentUid, int] = OrderedDict()
        self._stages: Mapping[Stage, Callable[[Job], Awaitable[Claim | None]]] = {
            Stage.PARSE: self._parse,
            Stage.CHUNK: self._chunk,
            Stage.EXTRACT: self._extract,
            Stage.EMBED: self._embed,
            Stage.STORE: lambda job: self._in_batches(job, store),
            Stage.INDEX: lambda job: self._in_batches(job, index),
            Stage.PUBLISH: self._publish,
            Stage.RELABEL: relabel,
            Stage.PURGE: self._purge,
        }

    async def advance(self, document: DocumentUid) -> None:
        """Work on a document for at most one slice; what is left is rung for again."""
        ends_at = time.monotonic() + self._shop.slice_seconds
        outputs = Outputs(self._shop.artefacts)
        claim = await self._shop.ledger.claim(document, self._owner, self._shop.lease_seconds, key=first_key())
        while claim is not None:
            claim = await self._work(Job(claim=claim, shop=self._shop, ends_at=ends_at, outputs=outputs))

    async def _work(self, job: Job) -> Claim | None:
        """Run one stage under its lease; return the next claim, if there is one to go on with."""
        claim = job.claim
        try:
            following = await self._hold(job)
        except LeaseLost:
            await self._lost(claim)
            return None
        except asyncio.CancelledError:
            # The worker stops: others need not wait for the lease to run out.
            await asyncio.shield(self._shop.ledger.release(claim))
            raise
        except Exception as error:  # noqa: BLE001 - the outermost boundary of a stage: nothing may end the worker
            await self._settle(claim, error)
            return None
        self._setbacks.pop(claim.document, None)
        return following

    async def _hold(self, job: Job) -> Claim | None:
        """Run the stage and renew its lease meanwhile; a lost lease ends the stage."""
        ledger, lease_seconds = self._shop.ledger, self._shop.lease_seconds
        work = asyncio.ensure_future(self._run(job))
        try:
            while True:
                done, _ = await asyncio.wait({work}, timeout=lease_seconds / 3)
                if done:
                    return work.result()
                try:
                    await ledger.beat(job.claim, lease_seconds)
                except DependencyDown:
                    logger.warning("the record store is busy; the lease of %s was not renewed", job.claim.document)
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})

    async def _run(self, job: Job) -> Claim | None:
        """Run the stage, unless an earlier one, or this one's beginning, was made under another configuration."""
        await share_files(job)
        changed = await first_changed(self._shop, job.claim)
        if changed is not None:
            return await self._send_back(job.claim, *changed)
        try:
            return await self._stages[job.claim.stage](job)
        except ArtefactMissing as missing:
            if missing.stage not in job.claim.artefacts:
                raise
            stage = Stage(missing.stage)
            return await self._send_back(job.claim, stage, job.claim.artefacts[stage])

    async def _send_back(self, claim: Claim, stage: Stage, key: str) -> Claim | None:
        if claim.returns >= MAX_RETURNS:
            raise Conflict(
                f"workers sent this document back to an earlier stage {claim.returns} times because their settings or "
                "models differ; give all of them the same and retry"
            )
        logger.info("%s of document %s goes back to %s", claim.stage, claim.document, stage)
        return await self._shop.ledger.send_back(claim, self._shop.lease_seconds, stage=stage, key=key)

    async def _finish(self, job: Job, units: int, facts: DocumentFacts | None = None) -> Claim | None:
        """End the stage and decide under which key the next one leaves its output."""
        key = await next_key(self._shop, job.claim)
        return await self._shop.ledger.finish(job.claim, self._shop.lease_seconds, units=units, facts=facts, key=key)

    async def _parse(self, job: Job) -> Claim | None:
        facts = await parse(job)
        return await self._finish(job, facts.pages or 0, facts)

    async def _chunk(self, job: Job) -> Claim | None:
        facts = await make_passages(job)
        return await self._finish(job, facts.passages or 0, facts)

    async def _extract(self, job: Job) -> Claim | None:
        facts = await extract(job)
        if facts is None:
            await self._later(job)
            return None
        return await self._finish(job, facts.passages or 0, facts)

    async def _embed(self, job: Job) -> Claim | None:
        passages = await embed(job)
        pages = None if passages is None else await embed_pages(job, passages)
        if passages is None or pages is None:
            await self._later(job)
            return None
        # Last, so that few others are stored between this look at what they mention and the publish.
        await embed_names(job)
        return await self._finish(job, passages + pages.count, DocumentFacts(warnings=pages.warnings))

    async def _in_batches(self, job: Job, stage: Callable[[Job], Awaitable[int | None]]) -> Claim | None:
        units = await stage(job)
        if units is None:
            await self._later(job)
            return None
        return await self._finish(job, units)

    async def _later(self, job: Job) -> None:
        """Let others have a turn: what is left is rung for again."""
        await self._shop.ledger.release(job.claim)
        await self._ring(job.claim.document)

    async def _publish(self, job: Job) -> Claim | None:
        # One that came when the document was parsed already.
        await self._shop.forget_password(job.claim)
        published = await publish(job)
        gone = [*published.replaced, *([job.claim.document] if published.superseded else [])]
        for document in gone:
            await self._ring(document)
        return None

    async def _purge(self, job: Job) -> Claim | None:
        again_in_seconds = await purge(job)
        if again_in_seconds is not None:
            await self._shop.ledger.release(job.claim, delay_seconds=again_in_seconds)
        return None

    async def _settle(self, claim: Claim, error: Exception) -> None:
        """Decide by the error's type what becomes of the document, and write it to the ledger."""
        try:
            if claim.stage is Stage.RELABEL and not isinstance(error, DependencyDown):
                # The document is there to be read: that the index does not follow must not take it away.
                logger.error("document %s keeps its old labels in the vector index", claim.document, exc_info=error)
                await self._shop.ledger.release(
                    claim, delay_seconds=_MAX_BACKOFF_SECONDS, error=_document_error(claim, error).message
                )
            elif isinstance(error, DependencyDown | StorageFull):
                delay_seconds = self._backoff(claim.document, getattr(error, "retry_after_seconds", 1.0))
                logger.warning("%s of document %s waits: %s", claim.stage, claim.document, error)
                await self._shop.ledger.release(claim, delay_seconds=delay_seconds, error=str(error))
            elif isinstance(error, BadInput):
                await self._fail(claim, error)
            elif claim.failures + 1 < MAX_FAILURES:
                logger.error("%s of document %s failed", claim.stage, claim.document, exc_info=error)
                await self._shop.ledger.release(
                    claim, delay_seconds=1.0, error=_document_error(claim, error).message, failed=True
                )
            else:
                logger.error("%s of document %s is given up", claim.stage, claim.document, exc_info=error)
                await self._fail(claim, error, quarantine=claim.stage is Stage.PARSE)
        except LeaseLost:
            await self._lost(claim)
        except DependencyDown as down:
            # The lease runs out by itself and the reconciler rings again.
            logger.warning("the record store is away: %s", down)

    async def _fail(self, claim: Claim, error: Exception, *, quarantine: bool = False) -> None:
        # Before the failure is written: who sees it may send another password, which has to stay.
        await self._shop.forget_password(claim)
        await self._shop.ledger.fail(claim, _document_error(claim, error), quarantine=quarantine)

    async def _lost(self, claim: Claim) -> None:
        """Take note of a lost lease, and take back points that came too late.

        Points carry no token: a worker that was stopped between its proof and its write can write after the purge of
        a deleted document has looked for the last time. A deleted document never comes back, so nobody misses them.
        """
        logger.info("lease lost: %s of document %s", claim.stage, claim.document)
        if claim.stage is not Stage.INDEX:
            return
        try:
            if not await self._shop.ledger.exists(claim.document):
                await self._shop.vectors.delete(claim.kb, [claim.document])
                await self._shop.graph_index.delete_graph(claim.kb, [], [claim.document])
                if self._shop.page_index is not None:
                    await self._shop.page_index.delete(claim.kb, [claim.document])
        except DependencyDown as down:
            logger.warning("points of the deleted document %s may be left: %s", claim.document, down)

    def _backoff(self, document: DocumentUid, at_least_seconds: float) -> float:
        setbacks = self._setbacks.pop(document, 0)
        self._setbacks[document] = setbacks + 1
        while len(self._setbacks) > _REMEMBERED_SETBACKS:
            self._setbacks.popitem(last=False)
        return min(_MAX_BACKOFF_SECONDS, max(at_least_seconds, float(2**setbacks)))

    async def _ring(self, document: DocumentUid) -> None:
        try:
            await self._shop.doorbell.ring([document])
        except DependencyDown:
            logger.info("the doorbell is away; the reconciler will ring for %s", document)


def _document_error(claim: Claim, error: Exception) -> DocumentError:
    page = error.page if isinstance(error, DocumentUnreadable) else None
    if isinstance(error, AtollError):
        return DocumentError(type=error.type, stage=claim.stage, page=page, message=error.message)
    message = f"an internal error ({type(error).__name__}); the worker's log tells more, `retry` tries again"
    return DocumentError(type="InternalError", stage=claim.stage, page=page, message=message)
