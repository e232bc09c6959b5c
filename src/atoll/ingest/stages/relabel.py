"""Stage relabel: a document has other labels than its points; the record store shows it by them already."""

from __future__ import annotations

from atoll.ingest.workshop import Job
from atoll.ports.index_labels import IndexLabels
from atoll.ports.ledger import Claim


async def relabel(job: Job) -> Claim | None:
    """Give the points the labels of the claim; return the claim to go on with when the document has others by now."""
    shop, claim = job.shop, job.claim
    for index in _indexes(job):
        # Points carry no token of their own: prove the lease right before writing them.
        await shop.ledger.beat(claim, shop.lease_seconds)
        await index.relabel(claim.kb, claim.document, claim.labels)
    return await shop.ledger.relabelled(claim, shop.lease_seconds)


def _indexes(job: Job) -> list[IndexLabels]:
    """Return each index once: that of passages may be that of assertions, too."""
    indexes: tuple[IndexLabels | None, ...] = job.shop.vectors, job.shop.graph_index, job.shop.page_index
    return list({id(index): index for index in indexes if index is not None}.values())
