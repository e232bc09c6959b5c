"""Stage embed: passages with their lines, and assertions -> dense vectors, kept as fp16."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atoll.domain.artefact import Artefact
from atoll.domain.document import Stage
from atoll.domain.embedding import CharacterSpan, InputType
from atoll.domain.passage import Passage
from atoll.errors import DependencyDown
from atoll.ingest.cutting import embedding_text
from atoll.ingest.outputs import from_rows, from_tables, to_rows, to_tables
from atoll.ingest.page_lines import CONTRAST, lines_of
from atoll.ingest.stages.chunk import read_batch, read_index
from atoll.ingest.stages.extract import assertion_texts, read_extraction
from atoll.ingest.stages.parse import read_page_sizes
from atoll.ingest.workshop import Job, batch_name
from atoll.ports.extractor import Extraction


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedPassages:
    """The vectors of a batch of passages, (passages, dimensions), and of their lines where pages are made of them.

    Lines are in the order of ``lines_of``, passage after passage.
    """

    passages: NDArray[np.float16]
    lines: NDArray[np.float16]


async def embed(job: Job) -> int | None:
    """Embed batch after batch; return how many passages there were, or None when the slice is over.

    The pages come after them, in the same stage.
    """
    index = await read_index(job)
    output = job.artefact(Stage.EMBED)
    total = index.passages + await pages_to_embed(job)
    for batch in range(job.claim.batch, index.batches):
        if job.is_over:
            return None
        passages = (await read_batch(job, batch)).passages
        if not await job.outputs.has(output, batch_name(batch)):
            await job.outputs.write(output, batch_name(batch), await _embedded(job, passages), _to_bytes)
        extracted = await read_extraction(job, batch, passages)
        if extracted.assertions and not await job.outputs.has(output, _of_assertions(batch)):
            await _embed_assertions(job, output, batch, assertion_texts(extracted))
        done = passages[-1].ordinal + 1
        if batch + 1 < index.batches:
            await job.shop.ledger.advance(job.claim, batch=batch + 1, done=done, total=total)
    return index.passages


async def pages_to_embed(job: Job) -> int:
    """Return how many pages the stage will embed: none without a page embedder."""
    if job.shop.page_embedder is None:
        return 0
    return len(await read_page_sizes(job))


async def read_embeddings(job: Job, batch: int) -> EmbeddedPassages:
    """Read the vectors of one batch."""
    return await job.outputs.read(job.artefact(Stage.EMBED), batch_name(batch), _from_bytes)


async def read_assertion_embeddings(job: Job, batch: int, extracted: Extraction) -> NDArray[np.float16] | None:
    """Read the vectors of one batch's assertions, (assertions, dimensions), or None when it has none."""
    if not extracted.assertions:
        return None
    return await job.outputs.read(job.artefact(Stage.EMBED), _of_assertions(batch), from_rows)


async def _embedded(job: Job, passages: Sequence[Passage]) -> EmbeddedPassages:
    """Embed passages, and in the same pass their lines where pages are made of them."""
    texts = [embedding_text(passage) for passage in passages]
    if not await _makes_pages(job):
        vectors = await job.shop.embedder.embed(texts, input_type=InputType.DOCUMENT)
        return EmbeddedPassages(vectors.astype(np.float16), np.zeros((0, 0), dtype=np.float16))
    spans = [_line_spans(passage, text) for passage, text in zip(passages, texts, strict=True)]
    found = await job.shop.embedder.embed_spans(texts, spans, input_type=InputType.DOCUMENT)
    lines = np.concatenate(found.told_apart(CONTRAST))
    return EmbeddedPassages(found.texts.astype(np.float16), lines.astype(np.float16))


async def _makes_pages(job: Job) -> bool:
    """Return whether pages are made of the vectors of lines.

    Raises:
        DependencyDown: they are, and questions are asked of pages with another model than passages are embedded with.
    """
    pages, text = await job.shop.models.pages(), await job.shop.models.text()
    if pages is None or not pages.from_passages:
        return False
    if pages.weights != text.fingerprint:
        raise DependencyDown(
            "the page-image server reads questions with another embedding model than passages are embedded with; "
            "restart it"
        )
    return True


def _line_spans(passage: Passage, text: str) -> list[CharacterSpan]:
    """Return where a passage's lines stand in the text that is embedded, which may begin with headings."""
    ahead = len(text) - len(passage.text)
    return [(line.span[0] + ahead, line.span[1] + ahead) for line in lines_of(passage)]


async def _embed_assertions(job: Job, output: Artefact, batch: int, texts: Sequence[str]) -> None:
    vectors = await job.shop.embedder.embed(texts, input_type=InputType.DOCUMENT)
    await job.outputs.write(output, _of_assertions(batch), vectors.astype(np.float16), to_rows)


def _of_assertions(batch: int) -> str:
    return f"assertions-{batch_name(batch)}"


def _to_bytes(vectors: EmbeddedPassages) -> bytes:
    return to_tables([vectors.passages, vectors.lines])


def _from_bytes(content: bytes) -> EmbeddedPassages:
    passages, lines = from_tables(content)
    return EmbeddedPassages(passages, lines)
