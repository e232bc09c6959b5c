"""The local stack as a table: who runs, with which command and environment, after whom, and how it shows it is up."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from atoll import files
from atoll.local import ports, valkey
from atoll.local.probes import Probe, http_ok, redis_consumer, redis_ping, running, unix_socket
from atoll.local.state import RoleName, RoleState
from atoll.settings import NESTING, PREFIX, PageBackend, Settings, inherited

#: Nothing in the stack may look for a network or tell anybody anything (P1).
SILENCE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
#: Idle compute threads sleep instead of spinning: one busy neighbour otherwise costs most of the throughput.
_QUIET_THREADS = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}

#: Time to stop before the kernel helps. Gateway and worker end what they are at within ten seconds of their own.
_DRAIN_GRACE_SECONDS = 12.0
_STORE_GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Role:
    """A child process of the supervisor.

    ``after`` names the roles that must have answered once before this one starts the first time; ``folders`` are
    made before every start; ``disposable`` is emptied once if the role refuses to start on what lies there.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    probe: Probe = running
    after: frozenset[str] = frozenset()
    address: str | None = None
    token_file: Path | None = None
    folders: tuple[Path, ...] = ()
    disposable: Path | None = None
    grace_seconds: float = _STORE_GRACE_SECONDS


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A role that this stack does not run: somebody else's server, or none at all."""

    name: str
    state: RoleState
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Stack:
    """Everything that the supervisor needs to know, in the order in which roles are listed."""

    address: str
    folder: Path
    run_dir: Path
    logs_dir: Path
    roles: tuple[Role, ...]
    elsewhere: tuple[Elsewhere, ...] = field(default=())


def plan(settings: Settings) -> Stack:
    """Lay out the stack for these settings and write this start's credentials.

    An operator who names the address of a queue, vector store or embedding server runs that one himself. The
    gateway's port is fixed; so are ports that were set explicitly. Other ports move aside when they are taken.

    Raises:
        StartRefused: a fixed port is taken, or the queue has no server binary.
    """
    builder = _Builder(settings)
    return Stack(
        address=settings.gateway.address,
        folder=builder.folder,
        run_dir=builder.run_dir,
        logs_dir=builder.folder / "logs",
        roles=tuple(builder.roles()),
        elsewhere=tuple(builder.elsewhere()),
    )


def exported(settings: Settings) -> dict[str, str]:
    """Return what the operator set as environment variables, paths made absolute, without the command line's key."""
    chosen = {name: value for name, value in _flatten(settings, PREFIX) if value is not None}
    return {name: _text(value) for name, value in chosen.items() if name != f"{PREFIX}API_KEY"}


def _flatten(section: BaseModel, prefix: str) -> Iterator[tuple[str, object]]:
    for name in sorted(section.model_fields_set):
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _flatten(value, f"{prefix}{name.upper()}{NESTING}")
        else:
            yield f"{prefix}{name.upper()}", value


def _text(value: object) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return StrEnum.__str__(value) if isinstance(value, StrEnum) else str(value)


class _Builder:
    """One pass over the settings; keeps the ports and credential files that roles tell each other about."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.folder = settings.data_dir.absolute()
        self.run_dir = self.folder / "run"
        self._socket = settings.parser_socket.absolute()
        gateway = settings.gateway
        ports.claim(gateway.port, setting="ATOLL_GATEWAY__PORT", host=gateway.host)
        self._taken = {gateway.port}
        # Text lines are embedded by Atoll's own embedding server, another one does not tell what its vectors are.
        writes = settings.pages.backend is not PageBackend.TEXT_LINES or settings.embeddings.ours
        names = ("queue", "vectors", "embeddings", *(("pages",) if settings.pages.enabled and writes else ()))
        self._ports = {name: self._port(name) for name in names if self._ours(name)}
        self._credentials = {
            "queue": self.run_dir / "queue.password",
            "vectors": self.run_dir / "vectors.key",
            "embeddings": self.run_dir / "embeddings.token",
            "pages": self.run_dir / "pages.token",
        }
        for name in self._ports:
            # 256 bits, new at each start: whoever held the one before is locked out.
            files.write(self._credentials[name], secrets.token_urlsafe(32).encode(), mode=files.PRIVATE)
        self._shared = self._environment()

    def roles(self) -> Iterator[Role]:
        """Yield the roles that run here, dependencies first."""
        if "queue" in self._ports:
            yield self._queue()
        if "vectors" in self._ports:
            yield self._vectors()
        yield self._parser()
        if "embeddings" in self._ports:
            yield self._embeddings()
        if "pages" in self._ports:
            yield self._pages()
        # The stores answer within a moment. Parser and embedding server take seconds to load; whoever needs something
        # of them at the start waits for it, so that all load at the same time.
        stores = frozenset(self._ports) - {RoleName.EMBEDDINGS, RoleName.PAGES}
        yield self._worker(stores)
        yield self._python(
            RoleName.GATEWAY,
            "gateway",
            after=stores,
            probe=http_ok(f"{self._settings.gateway.address}/health/live"),
            address=self._settings.gateway.address,
            token_file=self._settings.owner_key_path.absolute(),
            grace_seconds=_DRAIN_GRACE_SECONDS,
        )

    def elsewhere(self) -> Iterator[Elsewhere]:
        """Yield the roles that do not run here."""
        urls = {name: getattr(self._settings, name).url for name in ("queue", "vectors", "embeddings")}
        for name in sorted(urls.keys() - self._ports.keys()):
            yield Elsewhere(name, RoleState.EXTERNAL, urls[name])
        chat = self._settings.chat.url
        yield Elsewhere(RoleName.CHAT, RoleState.EXTERNAL if chat else RoleState.NOT_CONFIGURED, chat)
        if "pages" not in self._ports:
            pages = self._settings.pages.url if self._settings.pages.enabled else None
            yield Elsewhere(RoleName.PAGES, RoleState.EXTERNAL if pages else RoleState.NOT_CONFIGURED, pages)

    def _ours(self, name: str) -> bool:
        return "url" not in getattr(self._settings, name).model_fields_set

    def _port(self, name: str) -> int:
        section = getattr(self._settings, name)
        if "port" in section.model_fields_set:
            port = ports.claim(section.port, setting=f"{PREFIX}{name.upper()}{NESTING}PORT")
        else:
            port = ports.prefer(section.port, frozenset(self._taken))
        self._taken.add(port)
        return port

    def _environment(self) -> dict[str, str]:
        """Return what every role but the parser gets: how to reach the others, and the operator's settings."""
        environment = {**self._plain(), **exported(self._settings), "ATOLL_DATA_DIR": str(self.folder)}
        environment["ATOLL_PARSER__SOCKET"] = str(self._socket)
        schemes = {
            "queue": ("redis", "/0", "PASSWORD"),
            "vectors": ("http", "", "API_KEY"),
            "embeddings": ("http", "", "TOKEN"),
            "pages": ("http", "", "TOKEN"),
        }
        for name, port in self._ports.items():
            scheme, path, credential = schemes[name]
            section = f"{PREFIX}{name.upper()}{NESTING}"
            environment[f"{section}PORT"] = str(port)
            environment[f"{section}URL"] = f"{scheme}://{ports.LOOPBACK}:{port}{path}"
            environment[f"{section}{credential}_FILE"] = str(self._credentials[name])
        return environment

    def _plain(self) -> dict[str, str]:
        return {
            **inherited(),
            **SILENCE,
            "HOME": str(self.folder),
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
        }

    def _python(
        self,
        name: RoleName,
        module: str,
        *,
        environment: Mapping[str, str] | None = None,
        probe: Probe = running,
        after: frozenset[str] = frozenset(),
        address: str | None = None,
        token_file: Path | None = None,
        grace_seconds: float = _STORE_GRACE_SECONDS,
    ) -> Role:
        """Return a role that is a Python module; ``-P`` keeps the working directory out of the import path."""
        return Role(
            name=name,
            command=(sys.executable, "-P", "-m", module),
            environment=self._shared if environment is None else environment,
            probe=probe,
            after=after,
            address=address,
            token_file=token_file,
            grace_seconds=grace_seconds,
        )

    def _queue(self) -> Role:
        port, folder, credential = self._ports["queue"], self.folder / "queue", self._credentials["queue"]
        configuration = valkey.write_configuration(
            self.run_dir / "queue.conf", port=port, folder=folder, password=credential.read_text()
        )
        return Role(
            name=RoleName.QUEUE,
            command=(str(valkey.find_server()), str(configuration)),
            environment=self._plain(),
            probe=redis_ping(port, credential),
            address=self._shared["ATOLL_QUEUE__URL"],
            token_file=credential,
            folders=(folder,),
            disposable=folder,
        )

    def _vectors(self) -> Role:
        address, key = self._shared["ATOLL_VECTORS__URL"], self._credentials["vectors"]
        return self._python(
            RoleName.VECTORS,
            "atoll.local.vectors",
            probe=http_ok(f"{address}/readyz", lambda: {"api-key": key.read_text()}),
            address=address,
            token_file=key,
        )

    def _embeddings(self) -> Role:
        address, token = self._shared["ATOLL_EMBEDDINGS__URL"], self._credentials["embeddings"]
        return self._python(
            RoleName.EMBEDDINGS,
            "embeddings",
            environment={**self._shared, **_QUIET_THREADS},
            probe=http_ok(f"{address}/ready", lambda: {"Authorization": f"Bearer {token.read_text()}"}),
            address=address,
            token_file=token,
        )

    def _pages(self) -> Role:
        address, token = self._shared["ATOLL_PAGES__URL"], self._credentials["pages"]
        return self._python(
            RoleName.PAGES,
            "colpali",
            environment={**self._shared, **_QUIET_THREADS},
            probe=http_ok(f"{address}/ready", lambda: {"Authorization": f"Bearer {token.read_text()}"}),
            # Text lines are embedded there; nobody waits for the pages themselves.
            after=frozenset({RoleName.EMBEDDINGS} & self._ports.keys()),
            address=address,
            token_file=token,
        )

    def _worker(self, stores: frozenset[str]) -> Role:
        port = self._ports.get("queue")
        probe = running if port is None else redis_consumer(port, self._credentials["queue"])
        return self._python(RoleName.WORKER, "ingestion", after=stores, probe=probe, grace_seconds=_DRAIN_GRACE_SECONDS)

    def _parser(self) -> Role:
        """Return the role that reads untrusted bytes: it learns its own settings and nothing else."""
        own = {
            name: value
            for name, value in self._shared.items()
            if not name.startswith(PREFIX) or name.startswith((f"{PREFIX}PARSER{NESTING}", f"{PREFIX}LOG_LEVEL"))
        }
        return self._python(
            RoleName.PARSER,
            "parser",
            environment={**own, "ATOLL_DATA_DIR": str(self.folder)},
            probe=unix_socket(self._socket),
            address=f"unix://{self._socket}",
        )
