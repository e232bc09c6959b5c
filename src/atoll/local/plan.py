"""The local stack as a table: who runs, with which command and environment, after whom, and how it shows it is up."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from atoll import files
from atoll.local import environment, ports, valkey
from atoll.local.probes import Probe, heartbeat, http_answer, parser_ping, redis_consumer, redis_ping
from atoll.local.roles import STORE_GRACE_SECONDS, Elsewhere, Patience, Role, Stack
from atoll.local.state import RoleName, RoleState
from atoll.settings import NESTING, PREFIX, PageBackend, Settings

#: Time to stop before the kernel helps. Gateway and worker end what they are at within ten seconds of their own.
_DRAIN_GRACE_SECONDS = 12.0
#: How many probes a role may leave unanswered. Answering takes a queue or a store nothing; a model server may be
#: short of memory or processor time for a while.
_PATIENCE = {
    RoleName.QUEUE: Patience(4),
    RoleName.VECTORS: Patience(6),
    RoleName.PARSER: Patience(6),
    RoleName.EMBEDDINGS: Patience(6),
    RoleName.PAGES: Patience(12),
    RoleName.WORKER: Patience(4),  # its sign of life is old before the first probe fails
    RoleName.GATEWAY: Patience(6),
    RoleName.WATCH: Patience(4),
}


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
            probe=http_answer(f"{self._settings.gateway.address}/health/live"),
            address=self._settings.gateway.address,
            token_file=self._settings.owner_key_path.absolute(),
            grace_seconds=_DRAIN_GRACE_SECONDS,
        )
        if self._settings.watch.folder is not None:
            yield self._watch(self._settings.watch.folder)

    def elsewhere(self) -> Iterator[Elsewhere]:
        """Yield the roles that do not run here."""
        urls = {name: getattr(self._settings, name).url for name in ("queue", "vectors", "embeddings")}
        for name in sorted(urls.keys() - self._ports.keys()):
            yield Elsewhere(name, RoleState.EXTERNAL, urls[name])
        chat = self._settings.chat.url
        yield Elsewhere(RoleName.CHAT, RoleState.EXTERNAL if chat else RoleState.NOT_CONFIGURED, chat)
        if self._settings.watch.folder is None:
            yield Elsewhere(RoleName.WATCH, RoleState.NOT_CONFIGURED)
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
        shared = {**environment.plain(self.folder), **environment.exported(self._settings)}
        shared |= {"ATOLL_DATA_DIR": str(self.folder), "ATOLL_PARSER__SOCKET": str(self._socket)}
        schemes = {
            "queue": ("redis", "/0", "PASSWORD"),
            "vectors": ("http", "", "API_KEY"),
            "embeddings": ("http", "", "TOKEN"),
            "pages": ("http", "", "TOKEN"),
        }
        for name, port in self._ports.items():
            scheme, path, credential = schemes[name]
            section = f"{PREFIX}{name.upper()}{NESTING}"
            shared[f"{section}PORT"] = str(port)
            shared[f"{section}URL"] = f"{scheme}://{ports.LOOPBACK}:{port}{path}"
            shared[f"{section}{credential}_FILE"] = str(self._credentials[name])
        return shared

    def _python(
        self,
        name: RoleName,
        module: str,
        *,
        probe: Probe,
        variables: Mapping[str, str] | None = None,
        after: frozenset[str] = frozenset(),
        address: str | None = None,
        token_file: Path | None = None,
        grace_seconds: float = STORE_GRACE_SECONDS,
        sign_of_life: Path | None = None,
    ) -> Role:
        """Return a role that is a Python module; ``-P`` keeps the working directory out of the import path."""
        return Role(
            name=name,
            command=(sys.executable, "-P", "-m", module),
            environment=self._shared if variables is None else variables,
            probe=probe,
            after=after,
            address=address,
            token_file=token_file,
            grace_seconds=grace_seconds,
            patience=_PATIENCE[name],
            sign_of_life=sign_of_life,
        )

    def _queue(self) -> Role:
        port, folder, credential = self._ports["queue"], self.folder / "queue", self._credentials["queue"]
        configuration = valkey.write_configuration(
            self.run_dir / "queue.conf", port=port, folder=folder, password=credential.read_text()
        )
        return Role(
            name=RoleName.QUEUE,
            command=(str(valkey.find_server()), str(configuration)),
            environment=environment.plain(self.folder),
            probe=redis_ping(port, credential),
            address=self._shared["ATOLL_QUEUE__URL"],
            token_file=credential,
            folders=(folder,),
            disposable=folder,
            patience=_PATIENCE[RoleName.QUEUE],
        )

    def _vectors(self) -> Role:
        address, key = self._shared["ATOLL_VECTORS__URL"], self._credentials["vectors"]
        return self._python(
            RoleName.VECTORS,
            "atoll.local.vectors",
            probe=http_answer(f"{address}/readyz", lambda: {"api-key": key.read_text()}),
            address=address,
            token_file=key,
        )

    def _embeddings(self) -> Role:
        address, token = self._shared["ATOLL_EMBEDDINGS__URL"], self._credentials["embeddings"]
        return self._python(
            RoleName.EMBEDDINGS,
            "embeddings",
            variables={**self._shared, **environment.QUIET_THREADS},
            probe=http_answer(f"{address}/ready", lambda: {"Authorization": f"Bearer {token.read_text()}"}),
            address=address,
            token_file=token,
        )

    def _pages(self) -> Role:
        address, token = self._shared["ATOLL_PAGES__URL"], self._credentials["pages"]
        return self._python(
            RoleName.PAGES,
            "colpali",
            variables={**self._shared, **environment.QUIET_THREADS},
            probe=http_answer(f"{address}/ready", lambda: {"Authorization": f"Bearer {token.read_text()}"}),
            # Text lines are embedded there; nobody waits for the pages themselves.
            after=frozenset({RoleName.EMBEDDINGS} & self._ports.keys()),
            address=address,
            token_file=token,
        )

    def _worker(self, stores: frozenset[str]) -> Role:
        port = self._ports.get("queue")
        alive = (self._settings.worker.heartbeat_file or self.run_dir / "worker.alive").absolute()
        listening = None if port is None else redis_consumer(port, self._credentials["queue"])
        return self._python(
            RoleName.WORKER,
            "ingestion",
            variables={**self._shared, "ATOLL_WORKER__HEARTBEAT_FILE": str(alive)},
            after=stores,
            probe=heartbeat(alive, listening),
            grace_seconds=_DRAIN_GRACE_SECONDS,
            sign_of_life=alive,
        )

    def _watch(self, folder: Path) -> Role:
        alive = (self._settings.watch.heartbeat_file or self.run_dir / "watch.alive").absolute()
        return self._python(
            RoleName.WATCH,
            "atoll.cli.sync",
            variables={**self._shared, "ATOLL_WATCH__HEARTBEAT_FILE": str(alive)},
            # A client of the gateway like any other, also when it stops.
            after=frozenset({RoleName.GATEWAY}),
            probe=heartbeat(alive, None),
            address=folder.absolute().as_uri(),
            sign_of_life=alive,
        )

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
            variables={**own, "ATOLL_DATA_DIR": str(self.folder)},
            probe=parser_ping(self._socket),
            address=f"unix://{self._socket}",
        )
