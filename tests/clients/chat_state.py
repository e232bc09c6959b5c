"""What the chat server of these tests is doing, as a client's own program asks it."""

from __future__ import annotations

import time
import urllib.request

_MOST_SECONDS = 60.0


def until_read(chat: str, *, is_over: bool = False) -> None:
    """Wait until the chat model at an address reads a prompt, or does so no longer.

    Raises:
        TimeoutError: it did not within a minute.
    """
    until = time.monotonic() + _MOST_SECONDS
    while (urllib.request.urlopen(f"{chat}/reading").read() == b"yes") == is_over:
        if time.monotonic() > until:
            raise TimeoutError(f"the chat model {'still reads' if is_over else 'reads no prompt'}")
        time.sleep(0.02)
