"""The conversation before a question, as far as it matters for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: Turns of a conversation that matter for the next question, and characters of each.
MAX_TURNS = 6
MAX_TURN_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


def recent(history: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the last turns, each cut to a bounded length."""
    return tuple(Turn(turn.role, turn.content[:MAX_TURN_CHARACTERS]) for turn in history[-MAX_TURNS:])
