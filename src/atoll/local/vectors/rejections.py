"""Why a request is refused. Each becomes an answer in the shape of Qdrant's errors."""

from __future__ import annotations

from typing import ClassVar


class Rejection(Exception):
    """A request that is answered with an error status and one sentence."""

    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(Rejection):
    """The request is malformed or contradicts the collection's configuration."""


class NoKey(Rejection):
    """The request carries no valid key."""

    status = 401


class WrongHost(Rejection):
    """The Host header is not one of this server's names."""

    status = 403


class NoCollection(Rejection):
    """The collection does not exist."""

    status = 404

    def __init__(self, name: str) -> None:
        super().__init__(f"Not found: Collection `{name}` doesn't exist!")


class CollectionExists(Rejection):
    """A collection of that name exists already."""

    status = 409

    def __init__(self, name: str) -> None:
        super().__init__(f"Wrong input: Collection `{name}` already exists!")


class TooSlow(Rejection):
    """The body does not arrive."""

    status = 408


class TooLarge(Rejection):
    """The body is over the limit."""

    status = 413


class Overloaded(Rejection):
    """Too much work is waiting; the same request may succeed in a second."""

    status = 429


class NotServed(Rejection):
    """A feature of Qdrant that this server does not offer."""

    status = 501

    def __init__(self, feature: str) -> None:
        super().__init__(f"{feature} is not served by Atoll's local vector server; use a Qdrant server for it")
