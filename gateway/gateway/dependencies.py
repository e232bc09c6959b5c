"""What the gateway works with: ports and limits, built once by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from atoll.access.rates import RateLimit
from atoll.ports.artefacts import Artefacts
from atoll.ports.blobs import Blobs
from atoll.ports.doorbell import Doorbell
from atoll.ports.drawings import Drawings
from atoll.ports.embedder import Embedder
from atoll.ports.heat import Heat
from atoll.ports.parser import Parser
from atoll.ports.passwords import Passwords
from atoll.ports.record_store import RecordStore
from atoll.query.service import AskService


class Probe(Protocol):
    """Asks another process for a sign of life. Raises DependencyDown when there is none."""

    async def __call__(self) -> object:
        """Return when it answers."""
        ...


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something the gateway leans on; it is not ready while a ``needed`` one is away."""

    probe: Probe
    needed: bool


@dataclass(frozen=True, slots=True)
class Gauges:
    """Figures for /metrics that are read when asked for: label value -> figure."""

    name: str
    description: str
    label: str
    read: Callable[[], Awaitable[Mapping[str, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one caller, and all together, may ask of this process."""

    max_upload_bytes: int = 256 * 2**20
    max_documents_per_upload: int = 100
    concurrent_uploads: int = 8
    concurrent_requests: int = 32
    page_cache_bytes: int = 256 * 2**20
    answer_seconds: float = 240.0
    whole_answer_seconds: float = 25.0
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpLimits:
    """Whether agents are served, and with sessions; which foreign origins may call; how long a tool may take."""

    enabled: bool = True
    sessions: bool = True
    allowed_origins: tuple[str, ...] = ()
    call_seconds: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependencies:
    """Everything a route may use."""

    records: RecordStore
    doorbell: Doorbell
    blobs: Blobs
    passwords: Passwords
    artefacts: Artefacts
    drawings: Drawings
    parser: Parser
    ask: AskService
    embedder: Embedder
    rates: RateLimit
    pepper: bytes
    limits: Limits
    dependencies: Mapping[str, Dependency]
    #: Folder of the built browser screen; it may not be there yet.
    screen: Path
    #: Where people reach the screen; None where nobody said.
    public_url: str | None = None
    gauges: tuple[Gauges, ...] = ()
    heat: Heat | None = None
    mcp: McpLimits = field(default_factory=McpLimits)
    #: Role of a model server -> what tells the name of its model.
    models: Mapping[str, Callable[[], Awaitable[str]]] = field(default_factory=dict)
    #: Rings that no worker has answered, of the whole installation.
    rings: Callable[[], Awaitable[int]] | None = None
