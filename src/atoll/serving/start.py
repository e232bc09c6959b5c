"""First and last things of a model server's process."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

from atoll.errors import StartRefused


def read_token(path: Path | None) -> str | None:
    """Return the bearer token in ``path``.

    Raises:
        StartRefused: the file is absent or empty.
    """
    if path is None:
        return None
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartRefused(f"the token file {path} cannot be read: {error.strerror}; create it") from error
    if not token:
        raise StartRefused(f"the token file {path} is empty; write the token into it")
    return token


def leave(code: int) -> NoReturn:
    """End the process now: threads inside native code must not run while the interpreter is taken apart."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
