"""Stage extract: passages -> mentions and assertions, kept batch by batch.

A portion is what the extractor takes in one call. Where a batch has several, each is kept by itself until all are
there, so that a retry does not ask a model twice for the same passages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import orjson

from atoll.domain.document import DocumentWarning, Stage
from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import EntityId, KbUid, PassageId, entity_id
from atoll.domain.parsed import ParsedDocument
from atoll.domain.passage import Passage
from atoll.ingest.outputs import to_json
from atoll.ingest.stages.chunk import PassageIndex, read_batch, read_index
from atoll.ingest.stages.parse import read_parsed
from atoll.ingest.workshop import Job, batch_name
from atoll.ports.extractor import Extraction
from atoll.ports.ledger import DocumentFacts

#: Warnings of this stage that a document carries; the last one counts the rest.
MAX_WARNINGS = 20
_WARNINGS = "warnings"
#: Types of warnings of what the parser had nothing to say about.
NO_TEXT, NO_TEXT_ON_PAGE = "no_text", "no_text_on_page"


async def extract(job: Job) -> DocumentFacts | None:
    """Extract portion after portion; return what the document should know, or None when the slice is over."""
    index = await read_index(job)
    for batch in range(job.claim.batch, index.batches):
        passages = (await read_batch(job, batch)).passages
        if not await _extract_batch(job, batch, passages, index):
            return None
        if batch + 1 < index.batches:
            done = passages[-1].ordinal + 1
            await job.shop.ledger.advance(job.claim, batch=batch + 1, done=done, total=index.passages)
    await _keep_warnings(job, index)
    return DocumentFacts(passages=index.passages, warnings=await warnings_so_far(job))


async def read_extraction(job: Job, batch: int, passages: Sequence[Passage]) -> Extraction:
    """Read what was extracted from a batch."""
    return await _read(job, batch_name(batch), passages)


def assertion_texts(extracted: Extraction) -> list[str]:
    """Return what is embedded of each assertion: its ends as the passage writes them, between them the keywords."""
    surfaces = {(mention.passage, mention.entity): mention.surface for mention in extracted.mentions}
    return [
        f"{surfaces[each.passage, each.head]} {', '.join(each.keywords)} {surfaces[each.passage, each.tail]}: "
        f"{each.description}"
        for each in extracted.assertions
    ]


async def warnings_so_far(job: Job) -> tuple[DocumentWarning, ...]:
    """Return the warnings of the document up to the end of this stage, those of parsing first."""
    output, ours = job.artefact(Stage.EXTRACT), tuple[DocumentWarning, ...]()
    if await job.outputs.has(output, _WARNINGS):
        ours = await job.outputs.read(output, _WARNINGS, _warnings)
    return (*of_reading(await read_parsed(job), await read_index(job)), *ours)


def of_reading(parsed: ParsedDocument, index: PassageIndex) -> tuple[DocumentWarning, ...]:
    """Return the parser's warnings, and others for what it said nothing about: nothing is ever ready without a word.

    A document without passages and a page without text carry a warning, whatever the reason.
    """
    told = [DocumentWarning(each.type, each.page, each.message) for each in parsed.warnings]
    if not index.passages and NO_TEXT not in {each.type for each in told}:
        told.append(DocumentWarning(NO_TEXT, None, "no text was found in the document; no search will find it"))
    silent = {page.number for page in parsed.pages} - {each.page for each in told}
    silent -= {line.page for block in parsed.blocks for line in block.all_lines}
    blank = sorted(silent)
    told += [DocumentWarning(NO_TEXT_ON_PAGE, page, "no text was found on the page") for page in blank[:MAX_WARNINGS]]
    if len(blank) > MAX_WARNINGS:
        rest = len(blank) - MAX_WARNINGS
        told.append(DocumentWarning(NO_TEXT_ON_PAGE, None, f"no text was found on {rest} more pages"))
    return tuple(told)


async def _keep_warnings(job: Job, index: PassageIndex) -> None:
    """Keep the first warnings of all batches, and how many more there are."""
    found: list[DocumentWarning] = []
    for batch in range(index.batches):
        passages = (await read_batch(job, batch)).passages
        found += (await read_extraction(job, batch, passages)).warnings
    if len(found) > MAX_WARNINGS:
        rest = len(found) - MAX_WARNINGS + 1
        more = DocumentWarning("MoreWarnings", None, f"{rest} more warnings of this kind came from the extractor")
        found = [*found[: MAX_WARNINGS - 1], more]
    if found:
        await job.outputs.write(job.artefact(Stage.EXTRACT), _WARNINGS, tuple(found), to_json)


async def _extract_batch(job: Job, batch: int, passages: Sequence[Passage], index: PassageIndex) -> bool:
    """Extract what a batch lacks, some portions at a time; False when the slice is over before its end.

    After the first error nothing new is begun, and what is in flight is kept.
    """
    output = job.artefact(Stage.EXTRACT)
    if await job.outputs.has(output, batch_name(batch)):
        return True
    portions = list(_portions(job, passages))
    found: dict[int, Extraction] = {}
    for at, portion in enumerate(portions):
        if len(portions) > 1 and await job.outputs.has(output, _part(batch, portion)):
            found[at] = await _read(job, _part(batch, portion), portion)
    waiting = iter([at for at in range(len(portions)) if at not in found])
    errors: list[Exception] = []

    async def work() -> None:
        for at in waiting:
            if errors or job.is_over:
                return
            try:
                found[at] = await job.shop.extractor.extract(portions[at], job.scope)
                if len(portions) > 1:
                    await _write(job, _part(batch, portions[at]), portions[at], found[at])
                    behind = passages[0].ordinal + sum(len(portions[done]) for done in found)
                    await job.shop.ledger.advance(job.claim, batch=batch, done=behind, total=index.passages)
            except Exception as error:  # noqa: BLE001 - raised below, once the others have kept what they have
                errors.append(error)

    await asyncio.gather(*(work() for _ in range(job.shop.extractor.portions.concurrent)))
    if errors:
        raise errors[0]
    if len(found) < len(portions):
        return False
    await _write(job, batch_name(batch), passages, _joined([found[at] for at in range(len(portions))]))
    return True


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


def _part(batch: int, portion: Sequence[Passage]) -> str:
    return f"{batch_name(batch)}-{portion[0].ordinal:09d}"


def _joined(parts: Sequence[Extraction]) -> Extraction:
    return Extraction(
        mentions=tuple(chain.from_iterable(part.mentions for part in parts)),
        assertions=tuple(chain.from_iterable(part.assertions for part in parts)),
        warnings=tuple(chain.from_iterable(part.warnings for part in parts)),
    )


async def _write(job: Job, part: str, passages: Sequence[Passage], found: Extraction) -> None:
    await job.outputs.write(
        job.artefact(Stage.EXTRACT), part, found, lambda extraction: orjson.dumps(_to_json(extraction, passages))
    )


async def _read(job: Job, part: str, passages: Sequence[Passage]) -> Extraction:
    return await job.outputs.read(
        job.artefact(Stage.EXTRACT), part, lambda content: _from_json(orjson.loads(content), passages, job.claim.kb)
    )


def _to_json(found: Extraction, passages: Sequence[Passage]) -> Mapping[str, Any]:
    """Return an extraction as plain values; passages by their place, entities by their keys."""
    place = {passage.id: number for number, passage in enumerate(passages)}
    keys = {mention.entity: mention.key for mention in found.mentions}
    return {
        "mentions": [[place[m.passage], m.key, m.surface, m.type, m.tf, *m.span] for m in found.mentions],
        "assertions": [
            [place[a.passage], a.ordinal, keys[a.head], keys[a.tail], a.keywords, a.description, a.weight]
            for a in found.assertions
        ],
        "warnings": [[w.type, w.page, w.message] for w in found.warnings],
    }


def _from_json(value: Any, passages: Sequence[Passage], kb: KbUid) -> Extraction:
    passage_ids: list[PassageId] = [passage.id for passage in passages]
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
        warnings=tuple(DocumentWarning(*row) for row in value["warnings"]),
    )


def _warnings(content: bytes) -> tuple[DocumentWarning, ...]:
    return tuple(DocumentWarning(**row) for row in orjson.loads(content))
