"""Pages of stage embed: pages -> multi-vectors, kept as fp16."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, TypeGuard

import orjson

from atoll.domain import media
from atoll.domain.artefact import RENDITION, Artefact
from atoll.domain.block import Line, shown_lines, without_furniture
from atoll.domain.document import DocumentWarning, Stage
from atoll.domain.page import Page
from atoll.domain.page_archive import ARCHIVE, BATCH_PAGES, PageArchive, batch_part, packed, unpacked
from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageVectors
from atoll.domain.parsed import ParsedDocument
from atoll.errors import ArtefactMissing, AtollError, BadInput, ModelReplyInvalid, NotFound, ParserDied
from atoll.ingest.keys import PAGE_DPI
from atoll.ingest.outputs import to_json
from atoll.ingest.page_lines import pages_of_lines
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.embed import read_embeddings
from atoll.ingest.stages.extract import warnings_so_far
from atoll.ingest.stages.parse import read_page_sizes, read_parsed
from atoll.ingest.workshop import BATCH_PASSAGES, Job
from atoll.ports.artefacts import Artefacts
from atoll.ports.pages import PageEmbedder

#: Pages without vectors that a document names one by one; one more warning counts the others.
NAMED_FAILURES = 20
_FAILURE = "PageNotEmbedded"


@dataclass(frozen=True, slots=True)
class EmbeddedPages:
    """How many pages were embedded, and all warnings of the document; None leaves them as they are."""

    count: int
    warnings: tuple[DocumentWarning, ...] | None = None


async def embed_pages(job: Job, passages: int) -> EmbeddedPages | None:
    """Embed batch after batch; None when the slice is over. ``passages`` are the units already behind the stage.

    A page that cannot be drawn or embedded becomes a warning of the document.

    Raises:
        DependencyDown: the page-image server or the parser is away or busy.
    """
    embedder = job.shop.page_embedder
    card = await job.shop.models.pages()
    if embedder is None or card is None:
        return EmbeddedPages(0)
    output, outputs = job.artefact(Stage.EMBED), job.outputs
    archive = PageArchive(card.fingerprint, card.model, tuple(await read_page_sizes(job)), points=0)
    passage_batches = (await read_index(job)).batches
    for batch in range(archive.batches):
        if await outputs.has(output, batch_part(batch)):
            continue
        if job.is_over:
            return None
        numbers = range(batch * BATCH_PAGES + 1, min((batch + 1) * BATCH_PAGES, archive.pages) + 1)
        pages = [archive.page(number) for number in numbers]
        results = await (_of_lines(job, card, pages) if card.from_passages else _embedded(job, embedder, card, pages))
        await outputs.write(output, batch_part(batch), results, packed)
        done = passages + pages[-1].number
        await job.shop.ledger.advance(
            job.claim, batch=passage_batches + batch + 1, done=done, total=passages + archive.pages
        )
    points, failures = await _outcome(job, archive)
    # Last: it says that all batches are there.
    await outputs.write(output, ARCHIVE, replace(archive, points=points), lambda each: to_json(each.to_json()))
    return EmbeddedPages(archive.pages, (*await warnings_so_far(job), *failures))


async def read_archive(artefacts: Artefacts, output: Artefact) -> PageArchive | None:
    """Read what the stage left: None when it embedded no pages."""
    try:
        return PageArchive.from_json(orjson.loads(await artefacts.get(output, ARCHIVE)))
    except ArtefactMissing:
        return None


async def read_pages(artefacts: Artefacts, output: Artefact, batch: int) -> dict[int, PageVectors | PageFailure]:
    """Read one batch of pages, by number. Raises ArtefactMissing."""
    content = await artefacts.get(output, batch_part(batch))
    return await asyncio.to_thread(unpacked, content)


def has_point(page: PageVectors | PageFailure) -> TypeGuard[PageVectors]:
    """Whether a page is in the index: one that is blank or failed is not."""
    return isinstance(page, PageVectors) and len(page.vectors) > 0


def lines_by_page(parsed: ParsedDocument) -> Mapping[int, Sequence[Line]]:
    """Return the text lines of each page that has any as they stand, each table row as one line."""
    found: defaultdict[int, list[Line]] = defaultdict(list)
    for block in without_furniture(parsed.blocks):
        for line in shown_lines(block):
            found[line.page].append(line)
    return found


async def _of_lines(job: Job, card: PageEmbedderCard, pages: Sequence[Page]) -> Mapping[int, PageVectors | PageFailure]:
    """Make pages of the vectors that their lines got with the passages."""
    index = await read_index(job)
    # What begins on the page before may reach into the first.
    numbers = range(pages[0].number - 1, pages[-1].number + 1)
    batches = {ordinal // BATCH_PASSAGES for number in numbers for ordinal in index.pages.get(number, ())}
    runs = [
        ((await read_batch(job, batch)).passages, (await read_embeddings(job, batch)).lines)
        for batch in sorted(batches)
    ]
    return await asyncio.to_thread(pages_of_lines, pages, runs, card.dimensions)


async def _embedded(
    job: Job,
    embedder: PageEmbedder,
    card: PageEmbedderCard,
    pages: Sequence[Page],
) -> Mapping[int, PageVectors | PageFailure]:
    lines = lines_by_page(await read_parsed(job)) if card.needs_lines else {}
    results: dict[int, PageVectors | PageFailure] = {}
    inputs: dict[int, PageInput] = {}
    for page in pages:
        given = PageInput(page, tuple(lines.get(page.number, ())))
        try:
            image = await _drawn(job, page) if card.needs_images else None
        except ArtefactMissing:
            raise
        except (BadInput, NotFound, ParserDied) as error:
            results[page.number] = _failure(error)
        else:
            inputs[page.number] = replace(given, image=image)
    answers = await _answers(embedder, list(inputs.values())) if inputs else []
    return results | dict(zip(inputs, answers, strict=True))


async def _answers(embedder: PageEmbedder, inputs: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
    """Embed pages together; where that is refused, one by one, so that each stands for itself."""
    try:
        return await embedder.embed_pages(inputs)
    except (BadInput, ModelReplyInvalid) as error:
        if len(inputs) == 1:
            return [_failure(error)]
        return [answer for page in inputs for answer in await _answers(embedder, [page])]


async def _drawn(job: Job, page: Page) -> bytes:
    with await _pdf(job) as pdf:
        return await job.shop.parser.draw(pdf=pdf, page=page.number, dpi=PAGE_DPI)


async def _pdf(job: Job) -> BinaryIO:
    parsed = job.artefact(Stage.PARSE)
    # A document that has pages of its own has a rendition only where its own are encrypted.
    if job.claim.media_type in media.PAGED and not await job.shop.artefacts.exists(parsed, RENDITION):
        return await job.shop.blobs.open(job.claim.kb, job.claim.document)
    return await job.shop.artefacts.open(parsed, RENDITION)


def _failure(error: AtollError) -> PageFailure:
    return PageFailure(error.message, error.type)


async def _outcome(job: Job, archive: PageArchive) -> tuple[int, list[DocumentWarning]]:
    """Return how many pages have vectors, and a warning for each that has none because something went wrong."""
    points = 0
    failed: list[tuple[int, PageFailure]] = []
    for batch in range(archive.batches):
        pages = await job.outputs.read(job.artefact(Stage.EMBED), batch_part(batch), unpacked)
        points += sum(has_point(page) for page in pages.values())
        failed += [(number, page) for number, page in pages.items() if isinstance(page, PageFailure)]
    warnings = [
        DocumentWarning(_FAILURE, number, f"the page cannot be found by its image: {page.message}")
        for number, page in failed[:NAMED_FAILURES]
    ]
    if len(failed) > NAMED_FAILURES:
        rest = len(failed) - NAMED_FAILURES
        warnings.append(DocumentWarning(_FAILURE, None, f"{rest} further pages cannot be found by their images"))
    return points, warnings
