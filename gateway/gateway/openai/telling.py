"""An answer's text as it may be told: bit by bit, no longer than it may be, and not for longer than it may take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from gateway.openai.collecting import Shown, fitted
from gateway.openai.runs import Run
from gateway.sse import HEARTBEAT_SECONDS


async def texts_of(run: Run, shown: Shown, seconds: float) -> AsyncGenerator[list[str] | None, None]:
    """Yield the texts that may be shown, and None whenever nothing came for a while."""
    loop = asyncio.get_running_loop()
    deadline, at = loop.time() + seconds, 0
    while shown.outcome is None:
        left = deadline - loop.time()
        event = await run.event(at, min(HEARTBEAT_SECONDS, left))
        if event is not None:
            at += 1
            yield shown.take(event)
        else:
            yield shown.late() if loop.time() >= deadline else None


class Teller:
    """Tells text up to a number of tokens."""

    def __init__(self, most_tokens: int | None) -> None:
        self._most_tokens = most_tokens
        self.text = ""
        self.is_full = False

    def told(self, text: str) -> str:
        """Return as much of the next text as there is room for."""
        if self.is_full:
            return ""
        before = len(self.text)
        self.text, self.is_full = fitted(self.text + text, self._most_tokens)
        return self.text[before:]
