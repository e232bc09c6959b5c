"""A document that is read again: its new reading starts from the bytes, and the outputs, of the old one."""

from __future__ import annotations

from atoll.domain.artefact import artefact_of, keys_before
from atoll.ingest.workshop import Job


async def share_files(job: Job) -> None:
    """Give a new reading the uploaded bytes and the outputs of the stages before its first; again is a no-op.

    Raises:
        NotFound: the document was deleted.
    """
    shop, claim = job.shop, job.claim
    if claim.rereads is None:
        return
    if await shop.blobs.exists(claim.kb, claim.document):
        return
    for stage in keys_before(claim.artefacts, claim.stage):
        await shop.artefacts.share(artefact_of(claim.kb, claim.rereads, stage, claim.artefacts), claim.document)
    # Last: it says that the rest is there.
    await shop.blobs.share(claim.kb, claim.rereads, claim.document)
