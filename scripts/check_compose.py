"""Check the Compose files as `docker compose` itself reads them, for every set of profiles: no engine is needed.

Hardening, limits and health checks on every service; pinned images; variables that .env.example knows; who publishes
and who is on which network, as docs/security.md says; one-shot services adopted; no writable bind mount; profile gpu
starts vLLM, and the other model servers on CUDA; what docker-compose.dev.yml publishes is on loopback.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FILES = ("docker-compose.yml", "docker-compose.local.yml")
PROFILES = ("cpu", "gpu", "extract", "cpu,pull,backup,watch")
#: The one service that may write where models are kept; it never runs beside the stack.
_WRITES = {"models-pull"}
_ONCE = {"setup", "models", "chat-model", "models-pull", "backup"}
#: Those of them that the operator runs by name, so that none waits for them.
_CALLED = {"models-pull", "backup"}
#: Servers of profile gpu -> what each stands in for, by whose name the others ask for it.
ON_CUDA = {"embeddings-gpu": "embeddings", "colpali-gpu": "colpali", "chat-gpu": "chat"}
_TORCH_CUDA = "torch==0+cuda"
_DEVELOPMENT = {"chat": 8080, "embeddings": 8081, "colpali": 8082}
_SILENT = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z_]+)")
_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([^|]+) \|", re.MULTILINE)


def main() -> int:
    """Print every fault and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--require", action="store_true", help="fail where `docker compose` is not installed")
    required = parser.parse_args().require
    if not _installed():
        print("skipped: `docker compose` is not installed")
        return 1 if required else 0
    found = [*_unknown_variables()]
    for file in FILES:
        for profiles in PROFILES:
            found += [f"{file} [{profiles}] {fault}" for fault in faults(read(file, profiles))]
    found += development_faults(read("docker-compose.yml:docker-compose.dev.yml", "cpu"))
    print("\n".join(sorted(set(found))), end="\n" if found else "")
    return 1 if found else 0


def read(files: str, profiles: str, **settings: str) -> dict[str, Any]:
    """Return the model of Compose files (joined by colons), every variable but ``settings`` at its default."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATOLL_", "COMPOSE_"))}
    environment |= {"COMPOSE_FILE": files, "COMPOSE_PROFILES": profiles, "ATOLL_COMPOSE__TORCH_CUDA": _TORCH_CUDA}
    command = ["docker", "compose", "--env-file", os.devnull, "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=ROOT, env={**environment, **settings}, capture_output=True, text=True, check=True
    )
    model: dict[str, Any] = json.loads(done.stdout)
    return model


def faults(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a model, a line each."""
    services: Mapping[str, Mapping[str, Any]] = model["services"]
    documented = networks_of_the_documents()
    for name, service in services.items():
        for fault in (*_hardening(name, service), *_surroundings(name, service)):
            yield f"{name}: {fault}"
        given = ["none"] if service.get("network_mode") == "none" else sorted(service.get("networks", ()))
        if given != documented.get(name):
            yield f"{name}: is on {given}, docs/security.md says {documented.get(name)}"
    for name, network in model["networks"].items():
        sealed = network.get("internal") and "com.docker.network.bridge.inhibit_ipv4" in network.get("driver_opts", {})
        if not sealed and name not in {"outside", "pull"}:
            yield f"network {name}: is not internal, or the host has an address on it"
    if ON_CUDA.keys() & services.keys():
        yield from _on_cuda(services)
    for name in _ONCE & services.keys() - _CALLED:
        waiting = [other for other in services.values() if name in other.get("depends_on", {})]
        if not any(each["depends_on"][name]["condition"] == "service_completed_successfully" for each in waiting):
            yield f"{name}: ends, and no service waits for it: `up --wait` would fail"


def development_faults(model: Mapping[str, Any]) -> Iterator[str]:
    """Yield what docker-compose.dev.yml publishes otherwise than its first lines say."""
    for name, port in _DEVELOPMENT.items():
        ports = [(each["host_ip"], int(each["published"]), each["target"]) for each in model["services"][name]["ports"]]
        if ports != [("127.0.0.1", port, port)]:
            yield f"docker-compose.dev.yml {name}: publishes {ports}"


def networks_of_the_documents() -> dict[str, list[str]]:
    """Return service -> networks from the table in docs/security.md."""
    rows = _ROW.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8"))
    return {name: sorted(word.strip(" `") for word in networks.split(",")) for name, networks in rows}


def _hardening(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    wanted = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"], "init": True}
    for key, value in wanted.items():
        if service.get(key) != value:
            yield f"{key} is {service.get(key)!r}"
    for key in ("pids_limit", "mem_limit", "cpus", "stop_grace_period", "user", "tmpfs", "pull_policy"):
        if not service.get(key):
            yield f"no {key}"
    if not service.get("logging", {}).get("options", {}).get("max-size"):
        yield "logs are not rotated"
    if service.get("user", "0").split(":")[0] in {"0", "root"}:
        yield "runs as root"
    if service.get("restart") != ("no" if name in _ONCE else "unless-stopped"):
        yield f"restart is {service.get('restart')!r}"


def _surroundings(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    image = service["image"]
    if "@" in image or ":" not in image.rpartition("/")[2] or image.endswith(":latest"):
        yield f"the image {image} is not pinned by a tag"
    for variable in _SILENT:
        if name != "models-pull" and service.get("environment", {}).get(variable) != "1":
            yield f"{variable} is not set"
    if bool(service.get("ports")) != (name == "edge"):
        yield "publishes a port" if service.get("ports") else "publishes nothing"
    for mount in service.get("volumes", ()):
        if mount["type"] == "bind" and not mount.get("read_only") and name not in _WRITES:
            yield f"writes to {mount['source']}"
    if "healthcheck" not in service and not service["image"].startswith("atoll/"):
        yield "no health check"


def _on_cuda(services: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, role in ON_CUDA.items():
        service = services.get(name)
        if service is None or role in services:
            yield f"{name}: profile gpu must start it, and not {role}"
            continue
        reserved = service.get("deploy", {}).get("resources", {}).get("reservations", {}).get("devices", [])
        if not any(each.get("driver") == "nvidia" and "gpu" in each["capabilities"] for each in reserved):
            yield f"{name}: reserves no GPU"
        if role not in service["networks"]["models"].get("aliases", []):
            yield f"{name}: does not answer to the name {role}"
        if name == "chat-gpu":
            if (
                not service["image"].startswith("vllm/vllm-openai:v")
                or service["entrypoint"][-1] != "/etc/atoll/vllm.sh"
            ):
                yield f"{name}: is not vLLM"
        elif not service["image"].endswith("-cuda") or service["build"]["args"]["TORCH"] != _TORCH_CUDA:
            yield f"{name}: is not built with ATOLL_COMPOSE__TORCH_CUDA, or not under a tag of its own"


def _unknown_variables() -> Iterator[str]:
    known = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    for file in (*FILES, "services/local.yml", "docker-compose.dev.yml"):
        for name in sorted(set(_VARIABLE.findall((ROOT / file).read_text(encoding="utf-8"))) - known - {"NAME"}):
            yield f"{file}: {name} is not in .env.example"


def _installed() -> bool:
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0  # noqa: S607
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(main())
