"""Usage on the wire."""

from __future__ import annotations

from pydantic import BaseModel


class KbUsageOut(BaseModel):
    """What a knowledge base holds, and how many queries it was asked."""

    name: str
    documents: int
    passages: int
    bytes: int
    queries: int


class UsageOut(BaseModel):
    """What a tenant holds and asks, by knowledge base."""

    tenant: str
    kbs: list[KbUsageOut]
