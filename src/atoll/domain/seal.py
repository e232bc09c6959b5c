"""Seals of the audit trail: what shows that events were neither changed nor taken out after they were sealed."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.ids import TenantId


@dataclass(frozen=True, slots=True)
class Seal:
    """Covers the events of a tenant up to ``last`` that the seal before does not cover.

    ``mark`` is a keyed hash, in hex, of the mark before and of these events; ``number`` counts from 1.
    """

    tenant: TenantId
    number: int
    last: int
    count: int
    mark: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a tenant's trail was found to be.

    ``events`` are all there are, ``sealed`` those that seals cover. ``broken`` is the first seal that does not fit its
    events, None when all do; ``newest`` is the newest seal, and ``is_known`` says whether a seal that somebody noted
    elsewhere is among the trail's own, None when none was asked for.
    """

    events: int
    sealed: int
    broken: Seal | None
    newest: Seal | None
    is_known: bool | None
