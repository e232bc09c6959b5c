"""The texts of a ranking: read in one go, checked for quoted phrases, each text once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atoll.domain.ids import PassageId
from atoll.domain.passage import Passage
from atoll.query.rank.fuse import Ranked
from atoll.query.rank.near_duplicates import Shared, collapse
from atoll.query.search.read_budget import ReadBudget
from atoll.query.text.phrases import contains_all

#: Passages read beyond the number wanted, because some may turn out to be the same text.
COLLAPSE_ROOM = 10


@dataclass(frozen=True, slots=True)
class Texts:
    """``shared`` are the different texts of a ranking in its order, ``passages`` all that were read.

    ``complete`` is False when one was no longer visible.
    """

    shared: list[Shared]
    passages: Mapping[PassageId, Passage]
    complete: bool

    def these(self, ids: Sequence[PassageId]) -> list[Passage]:
        """Return those of some passages that were read."""
        return [self.passages[at] for at in ids if at in self.passages]


async def read_texts(
    ranking: Sequence[Ranked],
    phrases: tuple[str, ...],
    depth: int,
    reads: ReadBudget,
    besides: Sequence[PassageId] = (),
    openings: Sequence[PassageId] = (),
) -> Texts:
    """Read until ``depth`` different texts with all phrases are there, the passages ``besides``, and ``openings``.

    An opening is how a document begins; one that is not there is not missed.
    """
    ids = [ranked.id for ranked in ranking]
    first = len(ids) if phrases else depth + COLLAPSE_ROOM
    wanted = [*ids[:first], *besides]
    passages = await reads.hydrate(list(dict.fromkeys((*wanted, *openings))))
    complete = all(at in passages for at in wanted)
    shared = collapse([passages[at] for at in ids if at in passages and contains_all(passages[at].text, phrases)])
    if complete and len(shared) < depth and len(ids) > first and reads.left:
        passages |= await reads.hydrate(ids[first:])
        complete = all(at in passages for at in (*ids, *besides))
        shared = collapse([passages[at] for at in ids if at in passages])
    return Texts(shared, passages, complete)
