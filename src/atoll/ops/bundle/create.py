"""Making a bundle on the connected side: what goes in, what is hashed, what is signed.

A bundle is a folder:

    SHA256SUMS, SHA256SUMS.sig   every other file's hash, and the Ed25519 signature over that list
    bundle.json                  what this is: version, platform, profile, images, models, wheels, bytes
    load.sh                      checks and loads it with openssl, sha256sum and docker alone
    images.tar, images.txt       `docker save` of every image of the profile, and their names
    compose/                     the Compose files, what they mount, and the guides
    models/, wheels/             weights with their lock; packages for the mode without containers, and the screen

`SHA256SUMS` is written last, so that a bundle that was not finished is none.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

FORMAT = 1
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
#: What of the checkout is carried; the Compose files mount nothing else of it.
_COMPOSE = (
    "docker-compose.yml", "docker-compose.local.yml", ".env.example", "services/local.yml", "services/edge",
    "services/chat", "services/qdrant", "services/neo4j", "services/redis", "docs", "README.md", "LICENSE",
)  # fmt: skip
_BLOCK = 1 << 20
#: sha256sum writes these differently; no file of ours needs them.
_ODD_NAME = re.compile(r"[\\\n\r]")
_SAVE_SECONDS = 3600.0


class BundleRefused(Exception):
    """Raised when a bundle cannot be made; the message is one line."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was made: where, what is in it, and its size in bytes."""

    folder: Path
    version: str
    profile: str
    images: tuple[str, ...]
    models: tuple[str, ...]
    wheels: tuple[str, ...]
    bytes: int


def create(root: Path, folder: Path, *, version: str, profile: str, models: Path | None, wheels: Path | None) -> Bundle:
    """Make a bundle of the checkout ``root`` in ``folder``, which must be absent or empty; it is not signed yet.

    Args:
        root: where docker-compose.yml is; its images must have been built or pulled.
        folder: where the bundle is made.
        version: what the bundle says it is.
        profile: the Compose profiles whose images are carried, separated by commas.
        models: folder of weights, or None to carry none. Links in it are resolved: media may not know any.
        wheels: folder of wheels, or None to carry none.

    Raises:
        BundleRefused: an image is missing, the folder is not empty, or `docker` failed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BundleRefused(f"{folder} is not empty; name a folder that does not exist")
    images = _images(root, profile)
    folder.mkdir(parents=True, exist_ok=True)
    for name in _COMPOSE:
        _copy(root / name, folder / "compose" / name)
    if wheels is not None and wheels.is_dir():
        _contents(wheels, "screen.tar.gz*", folder / "wheels")
        for lock in sorted(root.glob("requirements-*.lock")):
            _copy(lock, folder / "wheels" / lock.name)
    names = {
        "models": _contents(models, "*", folder / "models"),
        "wheels": _contents(wheels, "*.whl", folder / "wheels"),
    }
    script = resources.files("atoll.ops.bundle").joinpath("load.sh")
    (folder / "load.sh").write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "images.txt").write_text("".join(f"{image}\n" for image in images), encoding="utf-8")
    _docker(root, "save", "-o", str((folder / "images.tar").absolute()), *images)
    _describe(folder, version=version, profile=profile, images=images, names=names)
    size = _sums(folder)
    return Bundle(folder, version, profile, images, names["models"], names["wheels"], size)


def sign(folder: Path, key: Path) -> None:
    """Sign a bundle with an Ed25519 private key in PEM, by `openssl`.

    Raises:
        BundleRefused: there is no finished bundle, or `openssl` is missing or refuses the key.
    """
    if not (folder / SUMS).exists():
        raise BundleRefused(f"{folder} holds no {SUMS}: it is no finished bundle")
    _run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(key.absolute()), "-in", SUMS, "-out", SIGNATURE],
        cwd=folder,
        remedy="make a key with `openssl genpkey -algorithm ed25519 -out release.key`",
    )


def _images(root: Path, profile: str) -> tuple[str, ...]:
    words = [word for name in profile.split(",") for word in ("--profile", name)]
    printed = _docker(root, "compose", "--env-file", "/dev/null", *words, "config", "--images")
    images = tuple(sorted(set(printed.split())))
    missing = [image for image in images if not _docker(root, "image", "ls", "-q", image).strip()]
    if missing:
        raise BundleRefused(f"missing images, build or pull them first: {', '.join(missing)}")
    return images


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def _contents(source: Path | None, pattern: str, target: Path) -> tuple[str, ...]:
    """Copy what of ``source`` matches and return the names of its entries; nothing hidden is copied."""
    if source is None or not source.is_dir():
        return ()
    chosen = sorted(entry for entry in source.glob(pattern) if not entry.name.startswith("."))
    for entry in chosen:
        _copy(entry, target / entry.name)
    return tuple(entry.name for entry in chosen)


def _describe(
    folder: Path, *, version: str, profile: str, images: Sequence[str], names: dict[str, tuple[str, ...]]
) -> None:
    body = {
        "format": FORMAT,
        "product": "atoll",
        "version": version,
        "platform": f"linux/{platform.machine()}",
        "profile": profile,
        "images": list(images),
        "models": list(names["models"]),
        "wheels": list(names["wheels"]),
        "bytes": {part.name: _size(part) for part in sorted(folder.iterdir())},
    }
    (folder / "bundle.json").write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def _sums(folder: Path) -> int:
    """Write the list of hashes; return the bytes of everything."""
    lines, total = [], 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if _ODD_NAME.search(name):
            raise BundleRefused(f"a file name that sha256sum cannot list: {name!r}")
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                total += len(block)
        lines.append(f"{digest.hexdigest()}  {name}\n")
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return total


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else sum(path.stat().st_size for path in _files(part))


def _docker(root: Path, *arguments: str) -> str:
    return _run(["docker", *arguments], cwd=root, remedy="is a container engine running?")


def _run(command: Sequence[str], *, cwd: Path, remedy: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - docker and openssl, no shell
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=_SAVE_SECONDS
        )
    except FileNotFoundError as error:
        raise BundleRefused(f"{command[0]} is not installed") from error
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise BundleRefused(f"`{' '.join(command[:2])}` failed: {' '.join(last)}; {remedy}")
    return done.stdout
