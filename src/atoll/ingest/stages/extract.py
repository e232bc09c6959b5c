"""Stage extract: passages -> mentions and assertions, kept portion by portion.

A portion is what the extractor takes in one call. Each is a file under a key of all that shapes it, so that neither a
retry nor a later stage asks a model twice for the same passages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from atoll.domain.document import DocumentWarning
from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import EntityId, KbUid, PassageId, entity_id
from atoll.domain.passage import Passage
from atoll.ingest.artefacts import read_json, write_json
from atoll.ingest.stages.chunk import PassageIndex, read_batch, read_index
from atoll.ingest.stages.parse import read_parsed
from atoll.ingest.workshop import Job, batch_name
from atoll.ports.extractor import Extraction
from atoll.ports.ledger import DocumentFacts

#: Warnings of this stage that a document carries; the last one counts the rest.
MAX_WARNINGS = 20
_WARNINGS = "warnings"


async def extract(job: Job) -> DocumentFacts | None:
    """Extract portion after portion; return what the document should know, or None when the slice is over."""
    index = await read_index(job)
    for batch in range(job.claim.batch, index.batches):
        passages, _ = await read_batch(job, batch)
        if not await _extract_batch(job, batch, passages, index):
            return None
        if batch + 1 < index.batches:
            done = passages[-1].ordinal + 1
            await job.shop.ledger.advance(job.claim, batch=batch + 1, done=done, total=index.passages)
    return DocumentFacts(passages=index.passages, warnings=await warnings_so_far(job))


async def extraction(job: Job, batch: int, passages: Sequence[Passage]) -> Extraction:
    """Return what was extracted from a batch, and extract what the stage left under another configuration."""
    folder = await job.extraction_dir()
    mentions: list[Mention] = []
    assertions: list[Assertion] = []
    for portion in _portions(job, passages):
        path = _path(folder, batch, portion)
        if not path.exists():
            await _extract_portion(job, path, portion)
        kept = _from_json(await asyncio.to_thread(read_json, path), portion, job.claim.kb)
        mentions += kept.mentions
        assertions += kept.assertions
    return Extraction(tuple(mentions), tuple(assertions))


def assertion_texts(extracted: Extraction) -> list[str]:
    """Return what is embedded of each assertion: its ends as the passage writes them, between them the keywords."""
    surfaces = {(mention.passage, mention.entity): mention.surface for mention in extracted.mentions}
    return [
        f"{surfaces[each.passage, each.head]} {', '.join(each.keywords)} {surfaces[each.passage, each.tail]}: "
        f"{each.description}"
        for each in extracted.assertions
    ]


async def _extract_batch(job: Job, batch: int, passages: Sequence[Passage], index: PassageIndex) -> bool:
    """Extract what a batch lacks, some portions at a time; False when the slice is over before its end.

    After the first error nothing new is begun, and what is in flight is kept.
    """
    folder = await job.extraction_dir()
    missing = [each for each in _portions(job, passages) if not _path(folder, batch, each).exists()]
    waiting = iter(missing)
    done = len(passages) - sum(map(len, missing))
    errors: list[Exception] = []

    async def work() -> None:
        nonlocal done
        for portion in waiting:
            if errors or job.is_over:
                return
            try:
                await _extract_portion(job, _path(folder, batch, portion), portion)
                done += len(portion)
                behind = passages[0].ordinal + done
                await job.shop.ledger.advance(job.claim, batch=batch, done=behind, total=index.passages)
            except Exception as error:  # noqa: BLE001 - raised below, once the others have kept what they have
                errors.append(error)

    await asyncio.gather(*(work() for _ in range(job.shop.extractor.portions.concurrent)))
    if errors:
        raise errors[0]
    return done == len(passages)


async def _extract_portion(job: Job, path: Path, portion: Sequence[Passage]) -> None:
    found = await job.shop.extractor.extract(portion, job.scope)
    if found.warnings:
        # First: a portion that is there has its warnings beside it.
        warnings = path.with_name(f"{path.name}.{_WARNINGS}")
        await asyncio.to_thread(write_json, warnings, [[w.type, w.page, w.message] for w in found.warnings])
    await asyncio.to_thread(write_json, path, _to_json(found, portion))


def _portions(job: Job, passages: Sequence[Passage]) -> Iterator[list[Passage]]:
    """Yield runs of whole chunks, each of at most as many passages as the extractor takes, or of one chunk."""
    most = job.shop.extractor.portions.passages
    portion: list[Passage] = []
    for _, chunk in groupby(passages, key=lambda passage: passage.chunk):
        members = list(chunk)
        if portion and len(portion) + len(members) > most:
            yield portion
            portion = []
        portion += members
    if portion:
        yield portion


def _path(folder: Path, batch: int, portion: Sequence[Passage]) -> Path:
    return folder / f"{batch_name(batch)}.{portion[0].ordinal:09d}"


async def warnings_so_far(job: Job) -> tuple[DocumentWarning, ...]:
    """Return the warnings of the document up to the end of this stage, those of parsing first."""
    folder = await job.extraction_dir()
    files = await asyncio.to_thread(lambda: sorted(folder.glob(f"*.{_WARNINGS}")))
    rows = [row for path in files for row in cast("Sequence[Any]", await asyncio.to_thread(read_json, path))]
    ours = [DocumentWarning(*row) for row in rows]
    if len(ours) > MAX_WARNINGS:
        rest = len(ours) - MAX_WARNINGS + 1
        more = DocumentWarning("MoreWarnings", None, f"{rest} more warnings of this kind came from the extractor")
        ours = [*ours[: MAX_WARNINGS - 1], more]
    parsed = await read_parsed(job)
    return (*(DocumentWarning(each.type, each.page, each.message) for each in parsed.warnings), *ours)


def _to_json(found: Extraction, portion: Sequence[Passage]) -> Mapping[str, Any]:
    """Return an extraction as plain values; passages by their place in the portion, entities by their keys."""
    place = {passage.id: number for number, passage in enumerate(portion)}
    keys = {mention.entity: mention.key for mention in found.mentions}
    return {
        "mentions": [[place[m.passage], m.key, m.surface, m.type, m.tf, *m.span] for m in found.mentions],
        "assertions": [
            [place[a.passage], a.ordinal, keys[a.head], keys[a.tail], a.keywords, a.description, a.weight]
            for a in found.assertions
        ],
    }


def _from_json(value: Any, portion: Sequence[Passage], kb: KbUid) -> Extraction:
    passage_ids: list[PassageId] = [passage.id for passage in portion]
    entity_ids: dict[str, EntityId] = {key: entity_id(kb, key) for _, key, *_ in value["mentions"]}
    return Extraction(
        mentions=tuple(
            Mention(passage_ids[at], entity_ids[key], key, surface, kind, tf, (start, end))
            for at, key, surface, kind, tf, start, end in value["mentions"]
        ),
        assertions=tuple(
            Assertion(
                passage_ids[at], ordinal, entity_ids[head], entity_ids[tail], tuple(keywords), description, weight
            )
            for at, ordinal, head, tail, keywords, description, weight in value["assertions"]
        ),
    )
