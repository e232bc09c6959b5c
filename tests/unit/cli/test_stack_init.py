"""`atoll init --compose`: what the container stack needs on the host, made without it."""

from __future__ import annotations

import hashlib
import json
import os
import ssl
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from atoll.cli.main import cli
from atoll.ops import stack_secrets
from tests.support.stack import require


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def init(*arguments: str) -> dict[str, object]:
    done = CliRunner().invoke(cli, ["init", "--compose", "--json", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    body: dict[str, object] = json.loads(done.stdout)
    return body


def test_a_folder_for_the_operator_with_files_for_any_container(site: Path) -> None:
    before = os.umask(0o077)  # an operator's habit must not close the files to containers
    try:
        body = init()
    finally:
        os.umask(before)
    folder = site / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = [path for path in folder.iterdir() if path.is_file()]
    assert {path.name for path in files} == set(stack_secrets.NAMES)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
    assert set(body["written"]) == set(stack_secrets.NAMES)  # type: ignore[call-overload]
    values = [path.read_text().strip() for path in files]
    assert len(set(values)) == len(values)
    owner = site / ".atoll" / "owner.key"
    assert owner.stat().st_mode & 0o777 == 0o600
    assert owner.read_text().strip() == (folder / "owner_key").read_text().strip()
    assert owner.read_text().startswith("atoll_")
    assert (folder / stack_secrets.TLS).stat().st_mode & 0o777 == 0o755


def test_servers_get_what_their_clients_present(site: Path) -> None:
    init()
    secret = {name: (site / "secrets" / name).read_text().strip() for name in stack_secrets.NAMES}
    assert secret["neo4j_auth"] == f"neo4j/{secret['neo4j_password']}"
    assert secret["qdrant.yaml"].endswith(f"api_key: {secret['qdrant_api_key']}")
    assert hashlib.sha256(secret["queue_password"].encode()).hexdigest() in secret["queue_users.acl"]
    assert secret["queue_password"] not in secret["queue_users.acl"]


def test_again_changes_nothing(site: Path) -> None:
    init()
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    assert init("--offline")["written"] == []
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before


def test_a_secret_that_was_lost_is_made_again_and_what_hangs_by_it(site: Path) -> None:
    init()
    (site / "secrets" / "queue_password").unlink()
    assert init()["written"] == ["queue_password", "queue_users.acl"]


def test_the_profile_follows_from_the_models_that_are_there(site: Path) -> None:
    init("--offline")
    assert "COMPOSE_PROFILES=extract" in (site / ".env").read_text()
    assert "ATOLL_PULL_POLICY=never" in (site / ".env").read_text()
    (site / ".env").unlink()
    (site / "models" / "small").mkdir(parents=True)
    (site / "models" / "small" / "chat.gguf").write_bytes(b"GGUF")
    init()
    written = (site / ".env").read_text()
    assert "COMPOSE_PROFILES=cpu" in written
    assert "ATOLL_CHAT__MODEL_FILE=small/chat.gguf" in written
    assert "ATOLL_PULL_POLICY=missing" in written


def test_a_certificate_of_the_sites_own_authority(site: Path) -> None:
    openssl = require("openssl")
    init("--tls", "atoll.example.test", "--tls", "192.0.2.7")
    folder = site / "secrets"
    subprocess.run(
        [openssl, "verify", "-x509_strict", "-CAfile", folder / "site-ca.crt", folder / "tls" / "edge.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    shown = subprocess.run(
        [openssl, "x509", "-in", folder / "tls" / "edge.crt", "-noout", "-ext", "subjectAltName"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "DNS:atoll.example.test" in shown
    assert "IP Address:192.0.2.7" in shown
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "tls" / "edge.crt", folder / "tls" / "edge.key")
    assert (folder / "site-ca.key").stat().st_mode & 0o777 == 0o600
    authority = (folder / "site-ca.crt").read_bytes()
    init("--tls", "other.example.test")
    assert (folder / "site-ca.crt").read_bytes() == authority
