"""What can be wrong with a model folder, and the one error that says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ModelRefused(Exception):
    """Raised when a model, a lock file or the catalogue must not be used; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Kind(StrEnum):
    """Why a file is refused."""

    ABSENT = "absent"
    SIZE = "size"
    CHECKSUM = "checksum"
    DAMAGED = "damaged"
    UNLISTED = "unlisted"
    FORMAT = "format"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Fault:
    """One file of a model folder that is not as it must be; ``path`` is relative to the folder."""

    path: str
    kind: Kind
    reason: str
