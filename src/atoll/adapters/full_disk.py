"""What the disk of the documents says when it is full, in our words."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from atoll.errors import StorageFull


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn "no space" into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StorageFull("the disk of the documents is full; delete documents or add space") from error
        raise
