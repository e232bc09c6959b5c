"""The installation on the wire."""

from __future__ import annotations

from pydantic import BaseModel

from gateway.documents.schemas import Counts
from gateway.health.schemas import DependencyOut


class ProcessOut(DependencyOut):
    """A process that the gateway leans on, as it answers now."""

    role: str


class QueueOut(BaseModel):
    """Documents by status: for an admin of the installation, for an owner those that the key sees.

    ``rings`` are calls that no worker has answered yet; only admins are told, since they are of all tenants.
    """

    documents: Counts
    rings: int | None


class VersionsOut(BaseModel):
    """What runs here. ``pipeline`` numbers how documents are read: those with a lower number can be read again."""

    atoll: str
    api: str
    pipeline: int
    python: str


class ModelOut(BaseModel):
    """A model; its name is null while its server does not answer."""

    role: str
    name: str | None


class SystemOut(BaseModel):
    """The installation as this gateway knows it."""

    processes: list[ProcessOut]
    queue: QueueOut
    versions: VersionsOut
    models: list[ModelOut]
