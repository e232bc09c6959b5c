"""`atoll tenants` and what else is about an installation that is shared, against a real gateway process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def atoll(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = tmp_path_factory.mktemp("shared")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.gateway_process", str(folder / "house")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    started = json.loads(process.stdout.readline())
    (folder / "owner.key").write_text(started["key"])
    (folder / "admin.key").write_text(started["admin"])

    def run(*words: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"], "ATOLL_DATA_DIR": str(folder), "ATOLL_GATEWAY__PORT": str(started["port"])
        }  # fmt: skip
        if key is not None:
            environment["ATOLL_API_KEY"] = key
        return subprocess.run(
            [sys.executable, "-m", "atoll.cli.main", *words],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    yield run
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


def test_a_tenant_is_made_limited_and_suspended(atoll: Cli) -> None:
    made = atoll("tenants", "create", "north", "--quota", "documents=5", "--json")
    assert made.returncode == 0, made.stderr
    key = json.loads(made.stdout)["owner_key"]
    assert json.loads(atoll("keys", "list", "--json", key=key).stdout)["keys"][0]["role"] == "owner"
    listed = atoll("tenants", "list")
    assert ("north" in listed.stdout, "documents=5" in listed.stdout, key in listed.stdout) == (True, True, False)
    assert json.loads(atoll("tenants", "quota", "north", "bytes=9", "--json").stdout)["quota"] == {"bytes": 9}
    assert json.loads(atoll("tenants", "quota", "north", "--json").stdout)["quota"] == {}
    assert "suspended" in atoll("tenants", "suspend", "north").stdout
    refused = atoll("keys", "list", key=key)
    assert (refused.returncode, "suspended" in refused.stderr) == (1, True)
    assert json.loads(atoll("tenants", "resume", "north", "--json").stdout)["status"] == "active"
    assert "active" in atoll("tenants", "show", "north").stdout
    assert atoll("keys", "list", key=key).returncode == 0
    own = atoll("tenants", "list", key=key)
    assert (own.returncode, "manage tenants" in own.stderr) == (1, True)
    again = atoll("tenants", "create", "north")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


def test_a_key_is_shown_and_changed(atoll: Cli) -> None:
    made = json.loads(atoll("keys", "create", "desk", "--kb", "main", "--json").stdout)
    changed = atoll("keys", "change", made["id"], "--name", "front", "--all-kbs", "--label", "red", "--json")
    assert changed.returncode == 0, changed.stderr
    shown = json.loads(atoll("keys", "show", made["id"], "--json").stdout)
    assert (shown["name"], shown["kbs"], shown["labels"]) == ("front", "*", ["red"])
    assert "front" in atoll("keys", "show", made["id"]).stdout
    assert atoll("keys", "change", made["id"]).returncode == 2
    assert atoll("keys", "change", made["id"], "--kb", "main", "--all-kbs").returncode == 2
    assert atoll("keys", "change", made["id"], "--expires-at", "2001-01-01").returncode == 1


def test_usage_is_shown(atoll: Cli) -> None:
    body = json.loads(atoll("usage", "--json").stdout)
    assert (body["tenant"], [kb["name"] for kb in body["kbs"]]) == ("acme", ["main"])
    shown = atoll("usage", "--days", "7")
    assert (shown.returncode, "main" in shown.stdout) == (0, True)
