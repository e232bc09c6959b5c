"""A unit of the evidence that is shown as part of an answer."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.query.answer.units import Unit
from atoll.query.answer.weigh import Weighed


@dataclass(frozen=True, slots=True)
class Chosen:
    """A unit to be shown; of a row only the ``columns``, if any are named.

    ``compared`` are the places of the question's parts that it meets as what it is among others: "the largest".
    """

    weighed: Weighed
    columns: tuple[int, ...] = ()
    compared: frozenset[int] = frozenset()

    @property
    def unit(self) -> Unit:
        """The unit itself."""
        return self.weighed.unit
