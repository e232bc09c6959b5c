"""First and last things of a model server's process."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from atoll.errors import AtollError, StartRefused
from atoll.serving.drain import Lifecycle

_log = logging.getLogger(__name__)


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


@contextmanager
def reading_model(folder: Path) -> Iterator[None]:
    """Let the operator have one line, whatever a damaged model folder makes the libraries raise.

    Raises:
        StartRefused: naming the folder.
    """
    try:
        yield
    except StartRefused:
        raise
    except Exception as error:
        _log.debug("loading failed", exc_info=error)
        raise StartRefused(f"{folder} cannot be loaded ({type(error).__name__}: {error})".splitlines()[0]) from error


def load_in_background(load: Callable[[], None], lifecycle: Lifecycle, *, subject: str) -> None:
    """Run ``load`` on a thread of its own and open the doors when it returns.

    Whatever it raises ends the process with one line; ``subject`` names what could not be loaded.
    """

    def work() -> None:
        try:
            load()
        except AtollError as error:
            lifecycle.fail(error.message)
        # The outermost boundary of the thread: without it the process would stay up and never be ready.
        except Exception as error:  # noqa: BLE001
            _log.exception("loading failed")
            lifecycle.fail(f"{subject} cannot be loaded ({type(error).__name__}); see the log")
        else:
            lifecycle.loaded()

    threading.Thread(target=work, name="load", daemon=True).start()


def leave(code: int) -> NoReturn:
    """End the process now: threads inside native code must not run while the interpreter is taken apart."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
