"""How events of the audit trail are sealed: each mark is a keyed hash over the one before and the events since."""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence

from atoll.domain.principal import AuditEvent
from atoll.records.rows.values import milliseconds

#: Events of one seal, and of one read when seals are verified.
EVENTS_PER_SEAL = 1000


def seal_key(pepper: bytes) -> bytes:
    """Return the key of the marks. It is not in the record store, so that whoever writes there cannot seal."""
    return hmac.digest(pepper, b"atoll audit trail", "sha256")


def mark(key: bytes, before: str, events: Sequence[AuditEvent]) -> str:
    """Return the mark of ``events``, in order, after the mark ``before`` (empty for the first)."""
    told = [
        [e.id, e.tenant, milliseconds(e.at), e.actor, e.action, e.object, e.result, e.request_id, e.revision]
        for e in events
    ]
    return hmac.new(key, json.dumps([before, told], ensure_ascii=True).encode(), "sha256").hexdigest()
