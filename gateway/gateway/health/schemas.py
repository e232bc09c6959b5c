"""Health on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class LiveOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class DependencyOut(BaseModel):
    """Something the gateway leans on."""

    ok: bool
    needed: bool
    latency_ms: float
    error: str | None


class ReadyOut(BaseModel):
    """Whether requests can be served; ``dependencies`` is null for callers who may not see it."""

    status: Literal["ready", "not ready"]
    dependencies: dict[str, DependencyOut] | None
