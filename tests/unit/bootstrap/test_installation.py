"""The first start, and the next ones: an owner key that does not hold is noticed and mended."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.access.keys import Authenticator
from atoll.bootstrap import installation, stores
from atoll.bootstrap.secret_files import pepper
from atoll.domain.ids import KeyId
from atoll.domain.principal import Actor, Principal, Role
from atoll.domain.tenant import INSTALLATION
from atoll.errors import NotAuthenticated
from atoll.settings import Settings

ACTOR = Actor(subject="tester", request_id="-")


async def holder(settings: Settings) -> Principal:
    """Return whose the owner key of the data directory is."""
    store = stores.records(settings)
    try:
        text = settings.owner_key_path.read_text().strip()
        return await Authenticator(store.keys, pepper(settings)).by_secret(text)
    finally:
        await store.aclose()


async def test_the_first_start_makes_an_owner_key_and_the_next_keeps_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    assert await installation.initialise(settings)
    text = settings.owner_key_path.read_text()
    assert (await holder(settings)).role is Role.OWNER
    assert not await installation.initialise(settings)
    assert settings.owner_key_path.read_text() == text
    assert settings.owner_key_path.stat().st_mode & 0o777 == 0o600


async def test_there_is_one_admin_key_at_a_time(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    await installation.initialise(settings)
    assert not settings.admin_key_path.exists(), "only who asks gets one"
    assert await installation.ensure_admin(settings)
    first = settings.admin_key_path.read_text().strip()
    assert settings.admin_key_path.stat().st_mode & 0o777 == 0o600
    assert not await installation.ensure_admin(settings)
    settings.admin_key_path.unlink()
    assert await installation.ensure_admin(settings)
    store = stores.records(settings)
    try:
        authenticator = Authenticator(store.keys, pepper(settings))
        with pytest.raises(NotAuthenticated):
            await authenticator.by_secret(first)
        principal = await authenticator.by_secret(settings.admin_key_path.read_text().strip())
        assert (principal.role, principal.tenant_name) == (Role.ADMIN, INSTALLATION)
    finally:
        await store.aclose()


async def test_the_owner_key_of_a_suspended_tenant_stays(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    await installation.initialise(settings)
    store = stores.records(settings)
    await store.tenants.suspend("default", suspended=True, by=await store.tenants.ensure(INSTALLATION), actor=ACTOR)
    await store.aclose()
    assert not await installation.initialise(settings)


@pytest.mark.parametrize("wrong", ["revoked", "another secret"])
async def test_an_owner_key_that_does_not_hold_is_replaced(tmp_path: Path, wrong: str) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    await installation.initialise(settings)
    text = settings.owner_key_path.read_text().strip()
    if wrong == "revoked":
        store = stores.records(settings)
        tenant = await store.tenants.ensure("default")
        settings.owner_key_path.unlink()
        await store.aclose()
        await installation.initialise(settings)  # a second owner key, so that the first can go
        store = stores.records(settings)
        await store.keys.revoke(tenant, KeyId(text.split("_")[1]), ACTOR)
        await store.aclose()
        settings.owner_key_path.write_text(text)
    else:
        settings.owner_key_path.write_text(text[:-4] + "AAAA")
    assert await installation.initialise(settings)
    assert settings.owner_key_path.read_text().strip() not in {text, text[:-4] + "AAAA"}
    assert (await holder(settings)).role is Role.OWNER
    assert not await installation.initialise(settings)
