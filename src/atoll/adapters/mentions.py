"""Names found in a passage -> its mentions: one an entity, counted, with its headings among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from atoll.adapters.bm25 import identifiers
from atoll.domain.document import DocumentWarning
from atoll.domain.entity import Mention
from atoll.domain.ids import KbUid, entity_id
from atoll.domain.names import entity_key, heading_spans
from atoll.domain.passage import Passage

#: Most entities of a passage, of about 250 words: a list of names may have more, and then says nothing about any.
MAX_ENTITIES = 64
#: Type of a name that stands in headings alone, and of an identifier.
HEADING = "heading"
IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A name at ``text[start:end]`` of a passage, with its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class PassageNames:
    """The mentions of a passage by first occurrence, and how many entities were left out over ``MAX_ENTITIES``."""

    mentions: tuple[Mention, ...]
    left_out: int


@dataclass(slots=True)
class _Found:
    """What is known of one entity while a passage is looked through."""

    surface: str
    span: tuple[int, int] = (0, 0)
    tf: int = 0
    ends_at: int = 0
    types: Counter[str] = field(default_factory=Counter)


def mentions(passage: Passage, kb: KbUid, occurrences: Iterable[Occurrence]) -> PassageNames:
    """Return a passage's mentions: of the given names, of its identifiers and of its headings.

    Several names of one key are one entity. Occurrences are counted once where they overlap; a heading counts one
    more. Past ``MAX_ENTITIES``, those that are mentioned least and last are left out.
    """
    found: dict[str, _Found] = {}
    own = [Occurrence(start, end, IDENTIFIER) for start, end in identifiers(passage.text)]
    # Among names at one place the longest comes first, and a given type before our own.
    for occurrence in sorted([*occurrences, *own], key=lambda each: (each.start, -each.end)):
        surface = passage.text[occurrence.start : occurrence.end]
        key = entity_key(surface)
        if key is not None:
            _count(found.setdefault(key, _Found(surface)), occurrence)
    for surface, span in _heading_names(passage):
        key = entity_key(surface)
        if key is not None:
            entry = found.setdefault(key, _Found(surface, span))
            if span != (0, 0) and span < entry.span:
                entry.surface, entry.span = surface, span
            entry.tf += 1
    kept = sorted(found.items(), key=lambda item: (-item[1].tf, item[1].span, item[0]))[:MAX_ENTITIES]
    kept.sort(key=lambda item: (item[1].span, item[0]))
    return PassageNames(tuple(_mention(passage, kb, *item) for item in kept), len(found) - len(kept))


def left_out_warning(left_out: Sequence[tuple[Passage, int]]) -> tuple[DocumentWarning, ...]:
    """Return a warning for the passages that had more entities than are kept, or none."""
    if not left_out:
        return ()
    count = sum(number for _, number in left_out)
    message = f"{count} names are not in the graph: {len(left_out)} passages have more than {MAX_ENTITIES}"
    return (DocumentWarning("EntitiesLeftOut", left_out[0][0].page, message),)


def leading_headings(passage: Passage) -> int:
    """Return where the text after the headings that a passage begins with starts."""
    at = 0
    for line in passage.text.split("\n"):
        if line not in passage.headings:
            break
        at += len(line) + 1
    return min(at, len(passage.text))


def _count(entry: _Found, occurrence: Occurrence) -> None:
    if entry.tf and occurrence.start < entry.ends_at:
        return
    if not entry.tf:
        entry.span = (occurrence.start, occurrence.end)
    entry.tf += 1
    entry.ends_at = occurrence.end
    entry.types[occurrence.type] += 1


def _heading_names(passage: Passage) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the names of a passage's headings, each key once, and where they stand in its text ((0, 0): nowhere)."""
    lines: dict[str, int] = {}
    at = 0
    for line in passage.text[: leading_headings(passage)].split("\n"):
        lines.setdefault(line, at)
        at += len(line) + 1
    seen: set[str | None] = set()
    for heading in passage.headings:
        for start, end in (*heading_spans(heading), *identifiers(heading)):
            name = heading[start:end]
            key = entity_key(name)
            if key not in seen:
                seen.add(key)
                stands_at = lines.get(heading)
                yield name, (0, 0) if stands_at is None else (stands_at + start, stands_at + end)


def _mention(passage: Passage, kb: KbUid, key: str, entry: _Found) -> Mention:
    # Counter keeps the order of first occurrence among equals.
    kind = entry.types.most_common(1)[0][0] if entry.types else HEADING
    return Mention(
        passage=passage.id,
        entity=entity_id(kb, key),
        key=key,
        surface=entry.surface,
        type=kind,
        tf=entry.tf,
        span=entry.span,
    )
