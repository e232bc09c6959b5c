"""The container stack's secrets on the host: one folder that only the operator enters, files that any container reads.

Compose mounts secret files as they are, whoever owns them, and the servers run as five different users. So the folder
(mode 0700) keeps other people of the host out, and the files (0644) let each container read those that it is given.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from atoll import files

FOLDER_MODE = 0o700
FILE_MODE = files.READABLE
TLS_MODE = 0o755
#: Certificates lie here, if there are any; the edge mounts the folder in any case.
TLS = "tls"

_TOKEN_BYTES = 32

#: What Atoll may do at the queue: everything that Celery and the rate limits use, nothing that administers.
_QUEUE_RULES = "~* &* +@all -@admin -@dangerous +info"


def _queue_users(made: Mapping[str, str]) -> str:
    digest = hashlib.sha256(made["queue_password"].encode()).hexdigest()
    return f"user default on nopass nocommands resetkeys resetchannels +ping\nuser atoll on #{digest} {_QUEUE_RULES}"


def _qdrant_config(made: Mapping[str, str]) -> str:
    return f"service:\n  api_key: {made['qdrant_api_key']}"


def _neo4j_auth(made: Mapping[str, str]) -> str:
    return f"neo4j/{made['neo4j_password']}"


#: Files in the form a server wants, made of the secrets that others present to it.
_DERIVED: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "queue_users.acl": _queue_users,
    "qdrant.yaml": _qdrant_config,
    "neo4j_auth": _neo4j_auth,
}
_RANDOM = ("neo4j_password", "queue_password", "qdrant_api_key", "embeddings_token", "colpali_token", "chat_api_key")


#: Every file that the Compose files mount.
NAMES = ("pepper", "owner_key", *_RANDOM, *_DERIVED)


def write(folder: Path, *, owner_key: str) -> tuple[str, ...]:
    """Write what is missing into ``folder`` and set all modes; return the names of the files that were written.

    What is there is kept: a store remembers the password of its first start. ``owner_key`` is the key's text, used
    when the folder has none.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    folder.chmod(FOLDER_MODE)
    (folder / TLS).mkdir(exist_ok=True)
    (folder / TLS).chmod(TLS_MODE)  # whatever the operator's umask says
    fresh: dict[str, Callable[[], str]] = {
        "pepper": lambda: secrets.token_hex(_TOKEN_BYTES),
        "owner_key": lambda: owner_key,
        **{name: lambda: secrets.token_hex(_TOKEN_BYTES) for name in _RANDOM},
    }
    written = []
    made: dict[str, str] = {}
    for name, make in fresh.items():
        if not (folder / name).exists():
            files.write(folder / name, f"{make()}\n".encode(), mode=FILE_MODE)
            written.append(name)
        made[name] = (folder / name).read_text(encoding="utf-8").strip()
    for name, form in _DERIVED.items():
        text = form(made)
        if not (folder / name).exists() or (folder / name).read_text(encoding="utf-8").strip() != text:
            files.write(folder / name, f"{text}\n".encode(), mode=FILE_MODE)
            written.append(name)
    for name in (*fresh, *_DERIVED):
        (folder / name).chmod(FILE_MODE)
    return tuple(written)


def fault(folder: Path) -> str | None:
    """Return what is wrong with the folder and what to do, or None."""
    remedy = "run `atoll init --compose`"
    if not folder.is_dir():
        return f"{folder} is absent; {remedy}"
    mode = folder.stat().st_mode & 0o777
    if mode != FOLDER_MODE:
        return f"{folder} has mode {mode:o}, others may enter; {remedy}"
    missing = [name for name in NAMES if not (folder / name).is_file()]
    if missing:
        return f"missing in {folder}: {', '.join(missing)}; {remedy}"
    closed = [name for name in NAMES if (folder / name).stat().st_mode & 0o777 != FILE_MODE]
    return f"containers cannot read {', '.join(closed)} in {folder} (mode 0644 is needed); {remedy}" if closed else None
