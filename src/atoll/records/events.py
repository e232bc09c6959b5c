"""The vocabulary of the audit trail: one function for each event that there is."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.document import Stage, Status
from atoll.domain.ids import DocumentUid, KeyId, document_id
from atoll.domain.principal import SYSTEM, Action, Actor, Event, worker


def document_accepted(actor: Actor, document: DocumentUid, revision: int) -> Event:
    """Return the event of an upload; the revision is that of the knowledge base at the time."""
    return Event(actor, "document.accepted", _document(document), revision=revision)


def document_published(document: DocumentUid, revision: int | None = None) -> Event:
    """Return the event of a document that readers see from ``revision`` on (None: the one that is being made)."""
    return Event(SYSTEM, "document.published", _document(document), revision=revision)


def document_replaced(document: DocumentUid, revision: int) -> Event:
    """Return the event of a document that a later version has taken the place of."""
    return Event(SYSTEM, "document.replaced", _document(document), revision=revision)


def document_superseded(document: DocumentUid) -> Event:
    """Return the event of a document that was never seen, because a later version was published before it."""
    return Event(SYSTEM, "document.superseded", _document(document))


def document_reprocessed(actor: Actor, document: DocumentUid, stage: Stage) -> Event:
    """Return the event of a document that is to be read again from a stage on."""
    return Event(actor, "document.reprocessed", _document(document), result=f"from {stage}")


def document_deleted(actor: Actor, document: DocumentUid, revision: int) -> Event:
    """Return the event of a deletion."""
    return Event(actor, "document.deleted", _document(document), revision=revision)


def document_retried(actor: Actor, document: DocumentUid) -> Event:
    """Return the event of a document that is queued again."""
    return Event(actor, "document.retried", _document(document))


def document_cancelled(actor: Actor, document: DocumentUid) -> Event:
    """Return the event of a document whose work was stopped."""
    return Event(actor, "document.cancelled", _document(document))


def document_relabelled(
    actor: Actor, document: DocumentUid, before: Sequence[str], after: Sequence[str], revision: int
) -> Event:
    """Return the event of a document that others may see from ``revision`` on."""
    result = f"labels: {', '.join(sorted(before)) or 'none'} -> {', '.join(sorted(after)) or 'none'}"
    return Event(actor, "document.relabelled", _document(document), result=result, revision=revision)


def document_amended(actor: Actor, document: DocumentUid, changed: Sequence[str], revision: int) -> Event:
    """Return the event of a document whose name, source or metadata are others from ``revision`` on."""
    return Event(
        actor, "document.amended", _document(document), result=f"changed: {', '.join(changed)}", revision=revision
    )


def document_failed(owner: str, document: DocumentUid, status: Status, error: str) -> Event:
    """Return the event of a document that ended ``failed`` or ``quarantined`` with an error of that type."""
    return Event(worker(owner), f"document.{status}", _document(document), result=error)


def key_created(actor: Actor, key: KeyId) -> Event:
    """Return the event of a new key."""
    return Event(actor, "key.created", f"key {key}")


def key_revoked(actor: Actor, key: KeyId) -> Event:
    """Return the event of a key that holds no longer."""
    return Event(actor, "key.revoked", f"key {key}")


def key_changed(actor: Actor, key: KeyId) -> Event:
    """Return the event of a key with another name, other rights or another end."""
    return Event(actor, "key.changed", f"key {key}")


def tenant_created(actor: Actor, name: str) -> Event:
    """Return the event of a new tenant."""
    return Event(actor, "tenant.created", f"tenant {name}")


def tenant_changed(actor: Actor, name: str) -> Event:
    """Return the event of a tenant with another quota."""
    return Event(actor, "tenant.changed", f"tenant {name}")


def tenant_suspended(actor: Actor, name: str) -> Event:
    """Return the event of a tenant whose keys are not let in any more."""
    return Event(actor, "tenant.suspended", f"tenant {name}")


def tenant_resumed(actor: Actor, name: str) -> Event:
    """Return the event of a tenant whose keys are let in again."""
    return Event(actor, "tenant.resumed", f"tenant {name}")


def kb_created(actor: Actor, name: str) -> Event:
    """Return the event of a new knowledge base."""
    return Event(actor, "kb.created", f"kb {name}")


def kb_updated(actor: Actor, name: str) -> Event:
    """Return the event of a knowledge base with other settings or another quota."""
    return Event(actor, "kb.updated", f"kb {name}")


def kb_deleted(actor: Actor, name: str, revision: int) -> Event:
    """Return the event of a knowledge base that was deleted with all its documents."""
    return Event(actor, "kb.deleted", f"kb {name}", revision=revision)


def denied(actor: Actor, action: Action, kb: str | None, refusal: str) -> Event:
    """Return the event of a request that was refused with an error of that type, in a knowledge base or outside any."""
    return Event(actor, f"{action}.denied", "tenant" if kb is None else f"kb {kb}", result=refusal)


def risk_accepted(actor: Actor, risk: str) -> Event:
    """Return the event of an operator who starts in spite of a risk that the preflight named."""
    return Event(actor, "risk.accept", risk)


def _document(document: DocumentUid) -> str:
    return f"document {document_id(document)}"
