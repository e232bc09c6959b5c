"""What surrounds an entity: the entities that share passages with it, with those, and so on, nearest first."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.ids import EntityId
from atoll.domain.reader import Reader
from atoll.ports.atlas import Atlas, EntityCard, Links

#: Links of each kind that a neighbourhood shows at most, for each entity in it.
LINKS_PER_ENTITY = 10


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An entity, what surrounds it with the number of hops, and what joins them all.

    ``truncated`` when something was left out: by the limit, or because an entity has more passages than are looked at.
    """

    centre: EntityCard
    around: tuple[tuple[EntityCard, int], ...]
    links: Links
    truncated: bool


async def neighbourhood(atlas: Atlas, reader: Reader, entity: EntityId, *, hops: int, limit: int) -> Neighbourhood:
    """Go ``hops`` steps from an entity, taking at most ``limit`` others, those that share most passages first.

    Raises:
        NotFound: the entity is not there for this reader.
    """
    centre = (await atlas.entity(reader, entity)).card
    chosen = {centre.id: 0}
    around: list[tuple[EntityCard, int]] = []
    truncated = False
    for hop in range(1, hops + 1):
        found = await atlas.around(reader, list(chosen), limit=limit - len(around))
        around += [(card, hop) for card in found.entities]
        truncated = truncated or found.truncated
        if not found.entities or len(around) == limit:
            break
        chosen.update((card.id, hop) for card in found.entities)
    members = [centre.id, *(card.id for card, _ in around)]
    links = await atlas.between(reader, members, limit=LINKS_PER_ENTITY * len(members))
    return Neighbourhood(centre, tuple(around), links, truncated or links.truncated)
