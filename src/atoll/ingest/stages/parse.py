"""Stage parse: bytes -> blocks, by the parser role."""

from __future__ import annotations

import asyncio

from atoll.domain.document import DocumentWarning
from atoll.domain.page import ParsedDocument
from atoll.errors import DocumentUnreadable
from atoll.ingest.artefacts import read_json, write_json
from atoll.ingest.workshop import Job
from atoll.ports.blobs import PAGE_SIZES, RENDITION
from atoll.ports.ledger import DocumentFacts


async def parse(job: Job) -> DocumentFacts:
    """Leave the parsed document (and its rendition) in the document's folder."""
    claim, shop = job.claim, job.shop
    if job.parsed_path.exists():
        parsed = await read_parsed(job)
    else:
        job.folder.mkdir(exist_ok=True)
        parsed = await shop.parser.parse(
            source=shop.blobs.original(claim.kb, claim.document),
            name=claim.name,
            media_type=claim.media_type,
            result=job.parsed_path,
            rendition=job.folder / RENDITION,
        )
    if not parsed.pages:
        raise DocumentUnreadable(f"{claim.name} has no pages")
    sizes = [[page.width, page.height] for page in parsed.pages]
    await asyncio.to_thread(write_json, job.folder / PAGE_SIZES, sizes)
    warnings = tuple(DocumentWarning(type=w.type, page=w.page, message=w.message) for w in parsed.warnings)
    return DocumentFacts(pages=len(parsed.pages), warnings=warnings)


async def read_parsed(job: Job) -> ParsedDocument:
    """Read the stage's output."""
    return await asyncio.to_thread(lambda: ParsedDocument.from_json(read_json(job.parsed_path)))
