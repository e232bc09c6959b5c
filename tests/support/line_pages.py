"""Documents as pages whose lines have the vectors of passages: as the stages of ingestion make them, without a stack."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from atoll.domain.embedding import InputType
from atoll.domain.ids import DocumentUid
from atoll.domain.page_vectors import PageVectors
from atoll.domain.parsed import ParsedDocument
from atoll.ingest.cutting import chunk, embedding_text
from atoll.ingest.page_lines import CONTRAST, lines_of, pages_of_lines
from atoll.ingest.strands import strands
from atoll.ports.embedder import Embedder

#: As the settings have them.
_CHUNK_TOKENS, _OVERLAP_TOKENS = 1200, 100


async def line_pages(embedder: Embedder, document: ParsedDocument) -> Mapping[int, PageVectors]:
    """Cut, embed and assemble; return the pages by number."""
    card = await embedder.describe()
    found = strands(document.blocks)
    ends = [each.ends for each in await embedder.tokenize([strand.text for strand in found])]
    passages = chunk(
        DocumentUid("document"), found, ends,
        window_tokens=card.text_tokens, chunk_tokens=_CHUNK_TOKENS, overlap_tokens=_OVERLAP_TOKENS,
    ).passages  # fmt: skip
    texts = [embedding_text(passage) for passage in passages]
    ahead = [len(text) - len(passage.text) for text, passage in zip(texts, passages, strict=True)]
    spans = [
        [(line.span[0] + shift, line.span[1] + shift) for line in lines_of(passage)]
        for passage, shift in zip(passages, ahead, strict=True)
    ]
    apart = (await embedder.embed_spans(texts, spans, input_type=InputType.DOCUMENT)).told_apart(CONTRAST)
    lines = np.concatenate(apart or [np.zeros((0, card.dimensions), dtype=np.float32)]).astype(np.float16)
    return pages_of_lines(document.pages, [(passages, lines)], card.dimensions)
