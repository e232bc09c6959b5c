"""Every failing line of preflight, each with what to do, on a machine that is described by what its programs say."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from atoll import settings
from atoll.bootstrap import installation
from atoll.bootstrap.stores import records
from atoll.cli.main import cli
from atoll.ops import preflight, stack_secrets

#: Programs answer what the test put into files beside them.
_PROGRAM = """#!/bin/sh
cd "$(dirname "$0")"
case "$(basename "$0") $1 $2" in
    "docker version "*) cat engine ;;
    "docker compose version") cat compose ;;
    "docker info -f") [ "$3" = '{{.DockerRootDir}}' ] && echo / || cat runtimes ;;
    "docker compose ps") : ;;
    "nvidia-smi --query-gpu=compute_cap "*) cat compute ;;
    "nvidia-smi  ") cat driver ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return ``machine(engine=..., ...)``, which sets what programs say; None takes the answer away."""
    place = tmp_path / "bin"
    place.mkdir()
    for program in ("docker", "nvidia-smi"):
        (place / program).write_text(_PROGRAM)
        (place / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")

    def say(**answers: str | None) -> None:
        for name, answer in answers.items():
            if answer is None:
                (place / name).unlink()
            else:
                (place / name).write_text(answer)

    say(engine="26.1.5+dfsg1", compose="2.40.3-3", runtimes="{}", compute="8.9\n", driver="CUDA Version: 12.4")
    return say


@pytest.fixture
def site(tmp_path: Path, machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> preflight.Site:
    del machine
    monkeypatch.setattr(preflight, "_MEMORY", dict.fromkeys(preflight._MEMORY, 0))
    monkeypatch.setattr(preflight, "_DISK", dict.fromkeys(preflight._DISK, 0))
    stack_secrets.write(tmp_path / "secrets", owner_key="atoll_a_b")
    return preflight.Site("extract", "127.0.0.1", 0, tmp_path / "models", tmp_path / "secrets", "", {})


def failing(site: preflight.Site) -> dict[str, str]:
    return {line.name: line.reason or "" for line in preflight.run(site) if line.failed}


def test_a_good_machine_passes(site: preflight.Site) -> None:
    assert failing(site) == {}


def test_every_failing_line_is_there(
    site: preflight.Site, machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(engine="20.10.24", compose="2.11.0", compute="6.1\n")
    for name in ("_MEMORY", "_DISK"):
        monkeypatch.setattr(preflight, name, {"gpu": 10**6})
    monkeypatch.setattr("time.time", lambda: 0.0)
    (site.secrets_dir / "pepper").unlink()
    found = failing(replace(site, profile="gpu", bind="192.0.2.1", chat_model_file="absent"))
    assert set(found) == {"engine", "compose", "memory", "disk", "port", "gpu", "models", "secrets", "clock"}
    for name, word in {
        "engine": "25.0.5", "gpu": "7.0", "secrets": "pepper", "models": "absent", "clock": "1970",
        "port": "ATOLL_EDGE__BIND",
    }.items():  # fmt: skip
        assert word in found[name], found[name]


@pytest.mark.parametrize(
    ("answers", "word"),
    [
        ({"compute": None}, "nvidia-smi"),
        ({"driver": "CUDA Version: 11.8"}, "12.1"),
        ({"runtimes": '{"runc":{}}'}, "container toolkit"),
    ],
)
def test_what_a_gpu_lacks(
    site: preflight.Site, machine: Callable[..., None], answers: dict[str, str | None], word: str
) -> None:
    machine(**answers)
    assert word in failing(replace(site, profile="gpu"))["gpu"]


def test_secrets_that_others_may_enter_or_no_container_can_read(site: preflight.Site) -> None:
    (site.secrets_dir / "neo4j_auth").chmod(0o600)
    assert "neo4j_auth" in failing(site)["secrets"]
    site.secrets_dir.chmod(0o755)
    assert "755" in failing(site)["secrets"]


def test_an_old_engine_is_accepted_by_name_and_remembered(
    site: preflight.Site, machine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine(engine="24.0.9")
    monkeypatch.chdir(tmp_path)
    del site
    (tmp_path / ".env").write_text("COMPOSE_PROFILES=extract\nATOLL_GATEWAY__PORT=0\n")
    assert CliRunner().invoke(cli, ["preflight"]).exit_code == 7
    accepted = CliRunner().invoke(cli, ["preflight", "--accept", "old-engine", "--json"])
    assert accepted.exit_code == 0, accepted.output
    (line,) = [each for each in json.loads(accepted.stdout)["checks"] if each["name"] == "engine"]
    assert (line["accepted"], line["failed"]) == (True, False)
    assert (tmp_path / ".env").read_text().splitlines()[-1] == "ATOLL_GATEWAY__ACCEPTED_RISKS=old-engine"


def test_what_was_accepted_is_in_the_audit_log_from_the_next_start_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ATOLL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("ATOLL_GATEWAY__ACCEPTED_RISKS", "old-engine")
    asyncio.run(installation.initialise(settings.load()))

    async def logged() -> list[tuple[str, str]]:
        store = records(settings.load())
        try:
            tenant = await store.tenants.ensure(installation.DEFAULT_TENANT)
            page = await store.audit.page(tenant, since=None, action="risk.accept", actor=None, after=0, limit=10)
            return [(event.object, event.result) for event in page]
        finally:
            await store.aclose()

    assert asyncio.run(logged()) == [("old-engine", "ok")]


def test_no_engine_cannot_be_accepted(site: preflight.Site, machine: Callable[..., None]) -> None:
    machine(engine=None)
    assert "engine" in failing(replace(site, accepted=frozenset({"old-engine"})))
