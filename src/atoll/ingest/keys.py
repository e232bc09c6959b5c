"""Under which keys a document's stages leave their outputs.

A key stands for everything that shapes an output: versions of the code, settings, models, and the key of the output it
is made from, so that a change of one stage is a change of all that follow. It is decided when the stage before ends and
stands in the ledger from then on. A claim whose keys are not those that this worker would decide on goes back to the
first stage that differs; no stage makes up for what another left undone.
"""

from __future__ import annotations

from atoll.domain.artefact import key
from atoll.domain.document import JOURNEY, Stage
from atoll.domain.embedding import EmbedderCard
from atoll.domain.page_vectors import PageEmbedderCard
from atoll.domain.reading import CHUNK_VERSION, EMBED_VERSION, PARSE_VERSION
from atoll.ingest.workshop import Workshop, scope_of
from atoll.ports.ledger import Claim

#: Resolution that pages are drawn at for a model that sees them.
PAGE_DPI = 150

#: Stages that leave an output, in order.
KEYED = (Stage.PARSE, Stage.CHUNK, Stage.EXTRACT, Stage.EMBED)


def first_key() -> str:
    """Return the key of stage parse's output."""
    return key("parse", PARSE_VERSION)


async def next_key(shop: Workshop, claim: Claim) -> str | None:
    """Return the key of the output of the stage after the claim's, None when that stage leaves none.

    Raises:
        DependencyDown: a model server was connected to anew, and is away before it says which model it runs.
    """
    following = JOURNEY[JOURNEY.index(claim.stage) + 1]
    if following not in KEYED:
        return None
    return _keys(shop, claim, await shop.models.text(), await shop.models.pages())[following]


async def first_changed(shop: Workshop, claim: Claim) -> tuple[Stage, str] | None:
    """Return the first stage, up to the claim's, whose output has to be made under another key, and that key.

    Stages that need a model server see to it that its model is the one they know. Those that need none take what is
    known, so that they call nobody; a stage that nothing is known about is taken as it is.

    Raises:
        DependencyDown: as for ``next_key``.
    """
    if claim.stage not in JOURNEY:
        return None
    if claim.stage in (Stage.CHUNK, Stage.EXTRACT):
        await shop.models.text()
    elif claim.stage is Stage.EMBED:
        await shop.models.text()
        await shop.models.pages()
    wanted = _keys(shop, claim, shop.models.known_text, shop.models.known_pages)
    for stage in KEYED[: JOURNEY.index(claim.stage) + 1]:
        if stage not in wanted:
            return None
        if claim.artefacts.get(stage) != wanted[stage]:
            return stage, wanted[stage]
    return None


def _keys(shop: Workshop, claim: Claim, text: EmbedderCard | None, pages: PageEmbedderCard | None) -> dict[Stage, str]:
    """Return the keys of all stages that can be told from what is known of the models."""
    keys = {Stage.PARSE: first_key()}
    if text is None:
        return keys
    # The embedder's tokenizer and window decide where passages are cut.
    keys[Stage.CHUNK] = key(
        "chunk",
        keys[Stage.PARSE],
        CHUNK_VERSION,
        text.fingerprint,
        text.text_tokens,
        shop.chunk_tokens,
        shop.overlap_tokens,
    )
    extractor = shop.extractor
    keys[Stage.EXTRACT] = key(
        "extract", keys[Stage.CHUNK], extractor.fingerprint(scope_of(claim)), extractor.portions.passages
    )
    if shop.models.has_pages and pages is None:
        return keys
    keys[Stage.EMBED] = key(
        "embed",
        keys[Stage.EXTRACT],
        EMBED_VERSION,
        text.fingerprint,
        text.dimensions,
        PAGE_DPI,
        "no pages" if pages is None else pages.fingerprint,
    )
    return keys
