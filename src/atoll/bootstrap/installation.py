"""An installation as a whole: its first start, its backup and its restoration."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from atoll.access import keys
from atoll.domain.ids import TenantId
from atoll.domain.principal import Actor, Role
from atoll.domain.tenant import INSTALLATION
from atoll.errors import Conflict, Forbidden, NotAuthenticated
from atoll.records import events
from atoll.settings import Settings

if TYPE_CHECKING:
    from atoll.backup.layout import Manifest
from atoll.bootstrap.secret_files import pepper, read_secret, write_secret
from atoll.bootstrap.stores import artefacts, blobs, records
from atoll.ports.record_store import RecordStore

DEFAULT_TENANT = "default"
DEFAULT_KB = "default"
DEFAULT_LANGUAGE = "en"


async def initialise(settings: Settings) -> bool:
    """Make the data directory, its secrets, the default tenant, knowledge base and owner key; again is a no-op.

    Returns:
        Whether an owner key was registered. Its text stands in ``settings.owner_key_path`` and nowhere else.
    """
    _make_folders(settings)
    store = await asyncio.to_thread(records, settings)
    try:
        tenant = await store.tenants.ensure(DEFAULT_TENANT)
        actor = Actor(subject="init", request_id="-")
        with suppress(Conflict):
            await store.knowledge_bases.create(
                tenant, DEFAULT_KB, language=DEFAULT_LANGUAGE, settings={}, quota={}, actor=actor
            )
        if (accepted := settings.gateway.accepted_risks) != "none":
            await store.audit.record(tenant, events.risk_accepted(actor, accepted))
        return await _register_owner(settings, store, tenant, actor)
    finally:
        await store.aclose()


async def ensure_admin(settings: Settings) -> bool:
    """Make sure that the admin key in ``settings.admin_key_path`` is there and holds; return whether one was made.

    There is one admin key at a time: a new one ends those before it, so that a key that got about is replaced by
    removing the file and asking again. `initialise` comes first.
    """
    store = await asyncio.to_thread(records, settings)
    try:
        tenant = await store.tenants.ensure(INSTALLATION)
        secret, path = pepper(settings), settings.admin_key_path
        if path.exists() and await _holds(store, secret, read_secret(path) or "", Role.ADMIN):
            return False
        actor = Actor(subject="init", request_id="-")
        key, text = keys.issue(secret, tenant=tenant, name="admin", role=Role.ADMIN)
        # In this order what breaks off leaves no key that works without anybody's holding it.
        write_secret(path, text)
        for earlier in await store.keys.list(tenant):
            if earlier.revoked_at is None:
                await store.keys.revoke(tenant, earlier.id, actor)
        await store.keys.create(key, actor)
        return True
    finally:
        await store.aclose()


async def _register_owner(settings: Settings, store: RecordStore, tenant: TenantId, actor: Actor) -> bool:
    """Make sure that the owner key is there and holds; return whether a key was registered.

    A key in the file that the store does not know is registered: it may have been made before the store was. One that
    is known and does not hold (it was revoked or has expired, or the file holds another secret) is replaced.
    """
    given = read_secret(settings.owner_key_path) if settings.owner_key_path.exists() else None
    secret = pepper(settings)
    if given is not None:
        known = await store.keys.find(keys.stored(secret, given, tenant=tenant, name="owner", role=Role.OWNER).id)
        if known is not None and await _holds(store, secret, given, Role.OWNER):
            return False
        given = given if known is None else None
    text = given or keys.fresh()
    await store.keys.create(keys.stored(secret, text, tenant=tenant, name="owner", role=Role.OWNER), actor)
    if given is None:
        write_secret(settings.owner_key_path, text)
    return True


async def _holds(store: RecordStore, secret: bytes, text: str, role: Role) -> bool:
    try:
        principal = await keys.Authenticator(store.keys, secret).by_secret(text)
    except NotAuthenticated:
        return False
    except Forbidden:  # it does: its tenant is suspended, and stays so
        return True
    return principal.role is role


def _make_folders(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (settings.blobs_dir, settings.run_dir, settings.logs_dir, settings.pepper_path.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    if not settings.pepper_path.exists():
        write_secret(settings.pepper_path, secrets.token_hex(32))


async def take_backup(settings: Settings, folder: Path, on_document: Callable[[str, int, int], None]) -> Manifest:
    """Take a backup of this installation, which may be at work. Raises what `BackupWriter.write` raises."""
    from atoll.backup.create import BackupWriter  # no server needs it

    store, files = await asyncio.to_thread(records, settings), blobs(settings)
    try:
        outputs = artefacts(settings)
        writer = BackupWriter(store.archive, files, outputs, folder, pepper=pepper(settings), on_document=on_document)
        return await writer.write()
    finally:
        files.close()
        await store.aclose()


async def restore_backup(
    settings: Settings, folder: Path, on_document: Callable[[str, int, int], None]
) -> tuple[Manifest, bool]:
    """Restore a backup into this empty installation; return the manifest and whether the keys of the backup work here.

    An owner key is written to ``settings.owner_key_path`` unless there is one, since the backup holds none. Raises what
    `atoll.backup.restore.restore` raises.
    """
    from atoll.backup.restore import restore

    _make_folders(settings)
    store, files = await asyncio.to_thread(records, settings), blobs(settings)
    try:
        manifest, keys_hold = await restore(
            folder,
            store.restoration,
            store.restored,
            files,
            artefacts(settings),
            pepper=pepper(settings),
            on_document=on_document,
        )
        tenant = await store.tenants.ensure(DEFAULT_TENANT)
        await _register_owner(settings, store, tenant, Actor(subject="restore", request_id="-"))
        return manifest, keys_hold
    finally:
        files.close()
        await store.aclose()
