"""The clients of tests/clients, each in an environment of its own: python -m scripts.clients WHAT.

`install` brings them here, `open-webui` brings Open WebUI, which is ten times as large, and `npm ARGUMENTS...` changes
what tests/clients/node/package.json and its lock name.

Clients want versions of what Atoll uses too, and some want versions that others cannot live with, so that they are
installed beside Atoll and not into it, all of them at the same time. What is there is not installed again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.screen import Unbuilt, environment_of, npm_command, take_addresses_out

ROOT = Path(__file__).resolve().parents[1]
CLIENTS = ROOT / "tests" / "clients"
NODE = CLIENTS / "node"
#: Environments of Python and the locks of what is in them.
PYTHONS = {
    ROOT / ".venv-clients": CLIENTS / "requirements.lock",
    ROOT / ".state" / "venv-llama-index": CLIENTS / "requirements-llama-index.lock",
}
OPEN_WEBUI = ROOT / ".state" / "venv-open-webui"
_OPEN_WEBUI_LOCK = ROOT / "tests" / "open_webui" / "requirements.lock"
#: What a package wants if it can be had, and what the registry does not have: npm takes such a lock for a broken one.
_ABSENT = ("napi-windows-process-start-time",)
_STAMP = ".installed"


def install() -> None:
    """Install what is not there. Raises Unbuilt."""
    with ThreadPoolExecutor() as at_once:
        node = at_once.submit(_install_node)
        pythons = [at_once.submit(_install_python, folder, lock) for folder, lock in PYTHONS.items()]
    for each in (node, *pythons):
        each.result()


def install_open_webui() -> None:
    """Install Open WebUI if it is not there. Raises Unbuilt."""
    _install_python(OPEN_WEBUI, _OPEN_WEBUI_LOCK)


def npm(arguments: list[str]) -> int:
    """Run npm where the clients of Node are; return its exit code. Raises Unbuilt."""
    command = npm_command()
    code = subprocess.run([*command, *arguments], cwd=NODE, check=False, env=environment_of(command)).returncode
    lock = NODE / "package-lock.json"
    known = json.loads(lock.read_text())
    for package in known["packages"].values():
        for name in _ABSENT:
            package.get("optionalDependencies", {}).pop(name, None)
    lock.write_text(json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    take_addresses_out(lock)
    return code


def _install_python(folder: Path, lock: Path) -> None:
    wanted = _digest(lock)
    if _is_installed(folder, wanted):
        return
    _run([sys.executable, "-m", "venv", "--clear", str(folder)], ROOT, lock)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    _run([*pip, "--no-compile", "--no-deps", "--require-hashes", "-r", str(lock)], ROOT, lock)
    (folder / _STAMP).write_text(wanted)


def _install_node() -> None:
    lock, modules = NODE / "package-lock.json", NODE / "node_modules"
    wanted = _digest(lock)
    if _is_installed(modules, wanted):
        return
    shutil.rmtree(modules, ignore_errors=True)
    command = npm_command()
    arguments = ["ci", "--loglevel=error", "--fetch-retries=1", "--omit=optional"]
    _run([*command, *arguments], NODE, lock, environment_of(command))
    (modules / _STAMP).write_text(wanted)


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _is_installed(folder: Path, wanted: str) -> bool:
    stamp = folder / _STAMP
    return stamp.is_file() and stamp.read_text() == wanted


def _run(command: list[str], folder: Path, lock: Path, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, cwd=folder, check=False, env=environment).returncode:
        raise Unbuilt(f"what {lock.relative_to(ROOT)} names cannot be installed")


def main(words: list[str]) -> int:
    """Do what the words say; return the exit code."""
    try:
        match words:
            case ["install"]:
                install()
            case ["open-webui"]:
                install_open_webui()
            case ["npm", *arguments]:
                return npm(arguments)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Unbuilt as missing:
        print(f"no clients to test with: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
