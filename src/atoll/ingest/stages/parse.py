"""Stage parse: bytes -> blocks, by the parser role."""

from __future__ import annotations

import orjson

from atoll.domain.artefact import DOCUMENT, PAGE_SIZES, RENDITION
from atoll.domain.document import DocumentWarning, Stage
from atoll.domain.parsed import ParsedDocument
from atoll.errors import DocumentEncrypted, DocumentUnreadable
from atoll.ingest.outputs import to_json
from atoll.ingest.workshop import Job
from atoll.ports.ledger import DocumentFacts


async def parse(job: Job) -> DocumentFacts:
    """Leave the parsed document, the sizes of its pages and, where it was typeset, its rendition."""
    output = job.artefact(Stage.PARSE)
    # The sizes are written last: they say that the rest is there.
    if await job.outputs.has(output, PAGE_SIZES):
        parsed = await read_parsed(job)
    else:
        parsed = await _parsed(job)
        sizes = [[page.width, page.height, *([page.label] if page.label else [])] for page in parsed.pages]
        await job.outputs.write(output, PAGE_SIZES, sizes, to_json)
    await job.shop.forget_password(job.claim)
    warnings = tuple(DocumentWarning(type=w.type, page=w.page, message=w.message) for w in parsed.warnings)
    return DocumentFacts(pages=len(parsed.pages), warnings=warnings, how=parsed.how)


async def read_parsed(job: Job) -> ParsedDocument:
    """Read the stage's output."""
    return await job.outputs.read(job.artefact(Stage.PARSE), DOCUMENT, _decoded)


async def read_page_sizes(job: Job) -> list[tuple[float, float]]:
    """Return width and height of each page in points."""
    # What was just written comes back as it was given, labels included.
    sizes = await job.outputs.read(job.artefact(Stage.PARSE), PAGE_SIZES, orjson.loads)
    return [(float(width), float(height)) for width, height, *_ in sizes]


async def _parsed(job: Job) -> ParsedDocument:
    """Have the parser read the document, with the password that came with it."""
    password = await job.password()
    try:
        return await _read(job, password)
    except DocumentEncrypted as error:
        # One that comes for a document that was there is kept when the document is queued already.
        later = await job.password()
        if later not in {None, password}:
            return await _read(job, later)
        if job.claim.rereads is None or password is not None:
            raise
        raise DocumentEncrypted(
            f"{job.claim.name} is encrypted, and its password was forgotten when it was read: give it to read the file "
            "again (field `password` of reprocess, `atoll documents reprocess --password-file`)"
        ) from error


async def _read(job: Job, password: str | None) -> ParsedDocument:
    claim, shop, output = job.claim, job.shop, job.artefact(Stage.PARSE)
    original = await shop.blobs.open(claim.kb, claim.document)
    with original:
        async with shop.artefacts.draft(output, DOCUMENT) as result, shop.artefacts.draft(output, RENDITION) as pdf:
            parsed = await shop.parser.parse(
                source=original,
                name=claim.name,
                media_type=claim.media_type,
                result=result,
                rendition=pdf,
                password=password,
            )
            size_bytes = result.seek(0, 2)
    if not parsed.pages:
        raise DocumentUnreadable(f"{claim.name} has no pages")
    job.outputs.remember(output, DOCUMENT, parsed, size_bytes)
    return parsed


def _decoded(content: bytes) -> ParsedDocument:
    return ParsedDocument.from_json(orjson.loads(content))
