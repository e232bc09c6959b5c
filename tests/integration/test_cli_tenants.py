"""`atoll tenants` and what else is about an installation that is shared, against a real gateway process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import httpx
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

    def follow(*words: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"], "ATOLL_DATA_DIR": str(folder), "ATOLL_GATEWAY__PORT": str(started["port"]),
            "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-m", "atoll.cli.main", *words],
            env=environment, cwd=folder, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    run.follow, run.started = follow, started  # type: ignore[attr-defined]
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


def test_the_audit_trail_is_listed_and_verified(atoll: Cli) -> None:
    listed = atoll("audit", "list", "--action", "kb.created", "--json")
    assert [each["object"] for each in json.loads(listed.stdout)["events"]] == ["kb main"], listed.stderr
    assert "kb.created" in atoll("audit", "list", "--since", "2020-01-01").stdout
    assert "tenant.created" in atoll("audit", "list", "--admin").stdout
    body = json.loads(atoll("audit", "verify", "--json").stdout)
    assert (body["is_intact"], body["broken_seal"]) == (True, None)
    assert "intact" in atoll("audit", "verify", "--admin").stdout
    unknown = atoll("audit", "verify", "--seal", f"9:{'0' * 64}")
    assert (unknown.returncode, "no such seal" in unknown.stdout) == (4, True)


def test_documents_are_followed_and_an_upload_is_looked_at(atoll: Cli) -> None:
    started = atoll.started  # type: ignore[attr-defined]
    watch = atoll.follow("events", "--kb", "main", "--json")  # type: ignore[attr-defined]
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{started['port']}", headers={"X-API-Key": started["key"]}, trust_env=False
        ) as client:
            told: list[str] = []
            reader = threading.Thread(target=lambda: told.append(watch.stdout.readline()), daemon=True)
            reader.start()
            number = 0
            while not told:  # a stream shows what changes after it began
                number += 1
                assert number < 100
                document = {"name": f"{number}.txt", "text": f"text {number}"}
                made = client.post("/v1/kbs/main/documents", json={"documents": [document]}).json()
                reader.join(0.3)
    finally:
        watch.send_signal(signal.SIGINT)
        assert watch.wait(20) == 0
        watch.stdout.close()
    event = json.loads(told[0])
    assert (event["event"], event["data"]["status"]) == ("document", "queued")
    shown = atoll("batch", made["batch_id"], "--kb", "main")
    assert (shown.returncode, f"{number}.txt" in shown.stdout) == (0, True), shown.stderr
    assert json.loads(atoll("batch", made["batch_id"], "--kb", "main", "--json").stdout)["counts"] == {"queued": 1}
    assert atoll("batch", "none", "--kb", "main").returncode == 1
