"""Every error that Atoll raises on purpose. The type decides HTTP status and retry; nobody matches message texts.

::

    AtollError
    ├── BadInput                400  the caller sent something we cannot take
    │   ├── UnsupportedMediaType 415
    │   ├── DocumentTooLarge     413
    │   └── DocumentUnreadable   422  the file itself is broken or empty
    │       └── DocumentEncrypted 422  it is encrypted, and its password did not come with it
    ├── NotAuthenticated         401
    ├── Forbidden                403
    ├── NotFound                 404  absent, deleted or out of the caller's scope: never told apart
    │   └── ArtefactMissing           internal: a stage's output is not there; the stage has to run again
    ├── Conflict                 409
    ├── QuotaExceeded            429  a limit of the caller; says when to come back
    ├── NotAvailable             501  this installation does not offer the feature
    ├── ModelReplyInvalid        502  a model server answered something unusable
    ├── DependencyDown           503  retryable: another process is away or overloaded
    │   └── IndexMissing         503  a derived index is gone; a worker makes it again from the record store
    ├── StorageFull              507  the disk is below its floor
    ├── ParserDied                    internal: a document ended the process that read it
    ├── LeaseLost                     internal: another worker owns the stage now; nothing was written
    └── StartRefused                  a process may not start; one line naming what is missing
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class AtollError(Exception):
    """Root of the tree.

    ``status`` is the HTTP status a request that meets this error is answered with; ``retryable`` says whether
    the same call may succeed later without any change.
    """

    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def type(self) -> str:
        """The class name, as it stands in problem documents and in a document's ``error.type``."""
        return type(self).__name__


class BadInput(AtollError):
    """Raised when the caller sent something that cannot be taken as it is."""

    status = 400


class UnsupportedMediaType(BadInput):
    """Raised when no parser reads the file's format."""

    status = 415


class DocumentTooLarge(BadInput):
    """Raised when an upload, a page count or an extracted text is over its limit."""

    status = 413


class DocumentUnreadable(BadInput):
    """Raised when the bytes of a document cannot be read: broken, encrypted or without content."""

    status = 422

    def __init__(self, message: str, page: int | None = None) -> None:
        super().__init__(message)
        self.page = page


class DocumentEncrypted(DocumentUnreadable):
    """Raised when a document is encrypted and came without its password, or with another one."""


class NotAuthenticated(AtollError):
    """Raised when a request carries no valid key."""

    status = 401


class Forbidden(AtollError):
    """Raised when a valid key's role does not allow the action."""

    status = 403


class NotFound(AtollError):
    """Raised when a thing is absent, deleted or outside the caller's scope."""

    status = 404


class ArtefactMissing(NotFound):
    """Raised when an output of a stage is not there. Inside the pipeline it sends the document back to ``stage``."""

    def __init__(self, message: str, stage: str = "") -> None:
        super().__init__(message)
        self.stage = stage


class Conflict(AtollError):
    """Raised when the thing exists already or is in a state that does not allow the action."""

    status = 409


class QuotaExceeded(AtollError):
    """Raised when the caller is over a rate, concurrency or storage limit."""

    status = 429
    retryable = True

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NotAvailable(AtollError):
    """Raised when this installation does not offer the feature."""

    status = 501


class ModelReplyInvalid(AtollError):
    """Raised when a model server's answer does not have the agreed shape."""

    status = 502


class DependencyDown(AtollError):
    """Raised when another process is away, overloaded or too slow. Never counts as a failure of a document."""

    status = 503
    retryable = True

    def __init__(self, message: str, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class IndexMissing(DependencyDown):
    """Raised when a derived index is gone. Writers make it again; a worker fills it from the record store."""


class StorageFull(AtollError):
    """Raised when free space is below the floor that Atoll keeps."""

    status = 507
    retryable = True


class ParserDied(AtollError):
    """Raised when the parser's child died on this document: memory, time or a crash. Two deaths quarantine it."""


class LeaseLost(AtollError):
    """Raised when a stage's token no longer holds: someone else owns the work and nothing was written."""


class StartRefused(AtollError):
    """Raised when a process must not start; the message is the one line the operator sees."""


@contextmanager
def ungrouped() -> Iterator[None]:
    """Raise one of the errors that the tasks of a group raised together: callers know single errors only.

    ``except*`` would do, but Python before 3.11.4 puts what is raised there into a group again.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        known, unknown = group.split(AtollError)
        if known is None or unknown is not None:
            raise
        raise _first_of(known) from group


def _first_of(group: BaseExceptionGroup[AtollError]) -> AtollError:
    first = group.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
