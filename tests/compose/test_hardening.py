"""What the engine says about the running containers: hardened, silent, and nothing secret to be seen."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from scripts import check_compose

from tests.compose.running import OPERATOR, STRANGER, Running, as_user, docker

pytestmark = pytest.mark.timeout(900)


def test_the_files_pass_their_checks() -> None:
    for file in check_compose.FILES:
        for profiles in check_compose.PROFILES:
            assert list(check_compose.faults(check_compose.read(file, profiles))) == [], (file, profiles)


def test_the_checks_find_what_is_wrong() -> None:
    model = check_compose.read("docker-compose.yml", "cpu")
    model["services"]["qdrant"]["read_only"] = False
    model["services"]["redis"]["image"] = "valkey/valkey:latest"
    model["services"]["chat"]["ports"] = [{"published": "8080"}]
    model["services"]["parser"]["networks"] = {"data": None}
    model["services"]["parser"]["network_mode"] = None
    model["networks"]["data"]["internal"] = False
    model["services"]["gateway"]["depends_on"].pop("setup")
    model["services"]["ingestion"]["depends_on"].pop("setup")
    found = {fault.partition(":")[0] for fault in check_compose.faults(model)}
    assert found >= {"qdrant", "redis", "chat", "parser", "network data", "setup"}


def test_a_watched_folder_is_read_and_never_written_or_made() -> None:
    settings = {"ATOLL_WATCH__FOLDER": "/srv/papers", "ATOLL_WATCH__KEY_FILE": "/srv/editor.key"}
    model = check_compose.read("docker-compose.yml", "cpu,watch", **settings)
    watch = model["services"]["watch"]
    (mount,) = [each for each in watch["volumes"] if each["type"] == "bind"]
    assert (mount["source"], mount["target"], mount["read_only"]) == ("/srv/papers", "/watched", True)
    assert not mount["bind"].get("create_host_path")
    assert watch["environment"]["ATOLL_WATCH__FOLDER"] == mount["target"]
    assert list(watch["networks"]) == ["front"]
    assert [each["source"] for each in watch["secrets"]] == ["watch_key"]
    assert model["secrets"]["watch_key"]["file"] == "/srv/editor.key"
    assert "watch" not in check_compose.read("docker-compose.yml", "cpu")["services"]


def test_the_checks_find_what_is_wrong_with_a_gpu() -> None:
    model = check_compose.read("docker-compose.yml", "gpu")
    assert list(check_compose.faults(model)) == []
    services = model["services"]
    services["chat-gpu"]["entrypoint"] = ["/bin/sh", "/etc/atoll/llama.sh"]
    del services["embeddings-gpu"]["deploy"]
    services["colpali-gpu"]["build"]["args"]["TORCH"] = "torch==2.13.0"
    assert [fault.partition(":")[0] for fault in check_compose.faults(model)] == list(check_compose.ON_CUDA)
    development = check_compose.read("docker-compose.yml:docker-compose.dev.yml", "cpu")
    development["services"]["chat"]["ports"][0]["host_ip"] = "0.0.0.0"
    assert [fault.split()[1] for fault in check_compose.development_faults(development)] == ["chat:"]


def test_every_container_is_hardened(stack: Running) -> None:
    for name, container in stack.inspect().items():
        host, config = container["HostConfig"], container["Config"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert "no-new-privileges:true" in host["SecurityOpt"], name
        assert host["Memory"] > 0, name
        assert host["NanoCpus"] > 0, name
        assert 0 < host["PidsLimit"] <= 512, name
        assert host["LogConfig"]["Config"]["max-size"] == "10m", name
        assert config["User"].split(":")[0] not in {"", "0", "root"}, name
        assert container["State"]["Health"]["Status"] == "healthy", name


def test_every_process_runs_without_rights(stack: Running) -> None:
    """As the kernel sees it, not as it was asked for."""
    for name, container in stack.inspect().items():
        status = Path(f"/proc/{container['State']['Pid']}/status").read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["CapEff"] == fields["CapPrm"] == "0" * 16, name
        assert fields["NoNewPrivs"] == "1", name
        assert fields["Uid"].split()[0] != "0", name


def test_our_images_hold_no_installer_compiler_or_index(stack: Running) -> None:
    del stack
    look = "for p in pip pip3 gcc cc uv; do command -v $p; done; python -c 'import pip' 2>/dev/null && echo pip; ls /etc/pip.conf 2>/dev/null; true"
    for name in ("gateway", "ingestion", "parser", "embeddings", "colpali"):
        assert docker("run", "--rm", "--network", "none", f"atoll/{name}:0.1.0", "sh", "-c", look) == "", name


def test_our_images_say_what_they_are(stack: Running) -> None:
    del stack
    for name in ("gateway", "ingestion", "parser", "embeddings", "colpali"):
        labels = json.loads(docker("image", "inspect", "-f", "{{json .Config.Labels}}", f"atoll/{name}:0.1.0"))
        given = {key.removeprefix("org.opencontainers.image."): value for key, value in labels.items()}
        assert (given["version"], given["licenses"]) == ("0.1.0", "Apache-2.0"), name
        assert given["revision"], name


def test_torch_is_in_the_two_model_servers_only_and_there_once(stack: Running) -> None:
    del stack
    find = "import importlib.util as u; print(u.find_spec('torch') is not None)"
    layers = {}
    for name in ("gateway", "ingestion", "parser", "embeddings", "colpali"):
        image = f"atoll/{name}:0.1.0"
        has = docker("run", "--rm", "--network", "none", image, "python", "-c", find).strip() == "True"
        assert has == (name in {"embeddings", "colpali"}), name
        layers[name] = docker("image", "inspect", "-f", '{{join .RootFS.Layers " "}}', image).split()
    assert (set(layers["embeddings"]) & set(layers["colpali"])) - set(layers["gateway"])


@pytest.mark.skipif(os.getuid() != 0, reason="tries as other users of the host")
def test_secrets_are_the_operators_and_the_containers(stack: Running) -> None:
    secrets = stack.folder / "secrets"
    assert (secrets.stat().st_uid, secrets.stat().st_mode & 0o777) == (OPERATOR, 0o700)
    assert {path.stat().st_mode & 0o777 for path in secrets.iterdir() if path.is_file()} == {0o644}
    read = ["cat", str(secrets / "pepper")]
    assert as_user(OPERATOR, read, cwd=Path("/")).returncode == 0
    assert as_user(STRANGER, read, cwd=Path("/")).returncode != 0
    for service, file in (
        ("gateway", "pepper"),
        ("neo4j", "neo4j_auth"),
        ("redis", "queue_users.acl"),
        ("qdrant", "qdrant.yaml"),
    ):
        stack.compose("exec", "-T", service, "cat", f"/run/secrets/{file}")


def test_the_queue_gives_atoll_no_administration(stack: Running) -> None:
    password = (stack.folder / "secrets" / "queue_password").read_text().strip()

    def cli(*words: str, user: bool = True) -> str:
        login = ("--user", "atoll", "--pass", password, "--no-auth-warning") if user else ()
        return stack.compose("exec", "-T", "redis", "valkey-cli", *login, *words, check=False)

    assert cli("ping", user=False).strip() == "PONG"
    assert "NOPERM" in cli("get", "a", user=False)
    for words in (("config", "get", "*"), ("flushall",), ("keys", "*"), ("acl", "list")):
        assert "NOPERM" in cli(*words), words
    assert cli("llen", "ingest").strip().isdigit()
