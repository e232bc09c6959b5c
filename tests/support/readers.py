"""Readers for tests: whoever holds some labels in a knowledge base, or all."""

from __future__ import annotations

from atoll.domain.ids import KbUid, TenantId
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.reader import Labels, Reader


def reader_of(kb: KnowledgeBase | KbUid, labels: Labels = None) -> Reader:
    """Return the reader of a knowledge base who holds ``labels`` (None: all); indexes do not ask for the tenant."""
    if isinstance(kb, KnowledgeBase):
        return Reader(kb.tenant, kb.uid, labels)
    return Reader(TenantId("acme"), kb, labels)
