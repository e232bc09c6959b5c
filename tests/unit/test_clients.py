"""The environments of the clients that `make test-clients` runs: pinned, hashed, and without addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from scripts import clients

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "tests").glob("*/*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    packages = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]*\])?==\S+", text, re.MULTILINE)
    assert len(packages) > 50
    assert len(re.findall(r"==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(packages)
    assert not re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host| @ ", text)


def test_every_lock_is_installed() -> None:
    assert {*clients.PYTHONS.values(), ROOT / "tests" / "open_webui" / "requirements.lock"} == set(LOCKS)


def test_packages_of_node_are_pinned_by_hash_and_name_no_address() -> None:
    lock = clients.NODE / "package-lock.json"
    assert "://" not in lock.read_text(), "run `python -m scripts.clients npm install`, which takes addresses out"
    packages = {name: entry for name, entry in json.loads(lock.read_text())["packages"].items() if name}
    assert [name for name, entry in packages.items() if "integrity" not in entry and not entry.get("inBundle")] == []
    wanted = json.loads((clients.NODE / "package.json").read_text())["dependencies"]
    assert [version for version in wanted.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    assert "omit-lockfile-registry-resolved=true" in (clients.NODE / ".npmrc").read_text().splitlines()


def test_what_is_installed_is_not_installed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, ran = tmp_path / "some.lock", []
    lock.write_text("some==1")
    monkeypatch.setattr(clients, "PYTHONS", {tmp_path / "python": lock})
    monkeypatch.setattr(clients, "NODE", tmp_path)
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "node_modules").mkdir()

    def run(command: list[str], *_: object) -> None:
        (tmp_path / "python").mkdir(exist_ok=True)
        (tmp_path / "node_modules").mkdir(exist_ok=True)
        ran.append(command)

    monkeypatch.setattr(clients, "npm_command", lambda: ["npm"])
    monkeypatch.setattr(clients, "_run", run)
    clients.install()
    assert len(ran) == 3
    clients.install()
    assert len(ran) == 3
    lock.write_text("some==2")
    clients.install()
    assert len(ran) == 5
