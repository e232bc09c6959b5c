from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from atoll.local import environment
from atoll.ops import installed, offline_environment, secret_modes, support_bundle
from atoll.ops.preflight import Line
from atoll.settings import ChatSettings, Settings

KEY = "atoll_0123456789abcdefghij"


def reasons(lines: list[Line]) -> dict[str, str]:
    return {line.name: line.reason for line in lines if line.reason is not None}


def test_an_installation_that_is_not_as_locked_is_told_by_name(tmp_path: Path) -> None:
    lock = tmp_path / "a.lock"
    lock.write_text("click==0.0.1 \\\n    --hash=sha256:0\nno-such-package==1.0\n")

    def no_queue() -> Path:
        raise FileNotFoundError("no valkey-server; install it")

    told = reasons(installed.check([lock], queue_server=no_queue, model=lambda: None))
    assert "no-such-package is missing" in told["packages"]
    assert "click is " in told["packages"]
    assert "make setup" in told["packages"]
    assert told["queue"] == "no valkey-server; install it"
    assert set(told) == {"packages", "queue"}
    assert reasons(installed.check([], queue_server=Path, model=lambda: None)) == {}


def test_secrets_that_others_may_read_are_told_with_the_remedy(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    data.chmod(0o755)
    pepper, key, token = data / "pepper", data / "owner.key", data / "run" / "pages.token"
    for path in (pepper, key, token):
        path.write_text("x")
        path.chmod(0o600)
    token.chmod(0o644)
    dotenv = tmp_path / ".env"
    dotenv.write_text("# A_TOKEN=1\nATOLL_CHAT__API_KEY_FILE=/a\nNEO4J_PASSWORD=hunter\n")
    told = reasons(secret_modes.check(data, pepper=pepper, keys=(key, data / "admin.key"), environment=dotenv))
    assert set(told) == {"data directory", "credentials of this start", ".env"}
    assert told["data directory"].endswith(f"chmod 700 {data}")
    assert "NEO4J_PASSWORD" in told[".env"]
    assert "API_KEY" not in told[".env"]
    assert "hunter" not in str(told)


def test_a_process_without_the_offline_settings_or_with_a_proxy_is_told() -> None:
    wanted = environment.SILENCE
    sleep = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
    given: tuple[dict[str, str], ...] = ({**wanted}, {**wanted, "https_proxy": "http://10.0.0.1"}, {})
    started = [
        subprocess.Popen(sleep, env={"PATH": os.environ["PATH"], **each}, stdout=subprocess.PIPE) for each in given
    ]
    try:
        for each in started:
            assert each.stdout is not None
            each.stdout.readline()
        silent, proxied, open_ = (each.pid for each in started)
        told = reasons(offline_environment.check({"a": silent, "b": proxied, "c": open_}, wanted))
        assert set(told) == {"b", "c"}
        assert "https_proxy" in told["b"]
        assert "HF_HUB_OFFLINE=1" in told["c"]
    finally:
        for each in started:
            each.kill()
            each.communicate()
    assert "does not run" in reasons(offline_environment.check({}, wanted))["local stack"]


def test_a_support_bundle_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "gateway.log").write_text(
        f"key {KEY} sent\nAuthorization: Bearer abc.def\nbolt://neo4j:hunter2@db:7687\nGET /a.png?sig=zzz&x=1\nraw s3cretpepper\n"
    )
    path = tmp_path / "out.tar.gz"
    support_bundle.write(path, {"README.txt": "x", **support_bundle.logs(tmp_path / "logs")}, ["s3cretpepper"])
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["atoll-support/README.txt", "atoll-support/logs/gateway.log"]
        member = archive.extractfile("atoll-support/logs/gateway.log")
        assert member is not None
        text = member.read().decode()
    for secret in (KEY, "abc.def", "hunter2", "zzz", "s3cretpepper"):
        assert secret not in text
    assert text.count("[removed]") == 5
    assert "x=1" in text


def test_settings_are_shown_without_their_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chat = ChatSettings(url="http://10.0.0.9/v1", api_key_file=tmp_path / "chat.key")
    settings = Settings(data_dir=tmp_path, api_key=KEY, chat=chat)
    shown = environment.shown(settings)
    assert shown["ATOLL_API_KEY"] == "[set]"
    assert shown["ATOLL_CHAT__URL"] == "http://10.0.0.9/v1"
    assert environment.secret_values(settings) == [KEY]
    assert environment.secret_files(settings) == [tmp_path / "chat.key"]
