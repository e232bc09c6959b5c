"""The settings of a process, read from its environment and guarded. The only module that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from atoll.errors import StartRefused
from atoll.settings.agents import McpSettings
from atoll.settings.aliases import translate, warnings
from atoll.settings.compose import ComposeSettings, EdgeSettings
from atoll.settings.knobs import NESTING, PREFIX, knobs
from atoll.settings.reading import OcrSettings, ParserSettings
from atoll.settings.sections import (
    ChatSettings,
    ChunkingSettings,
    EmbeddingSettings,
    GatewaySettings,
    GraphSettings,
    ModelSettings,
    PageSettings,
    QuerySettings,
    QueueSettings,
    RecordSettings,
    RerankerSettings,
    VectorSettings,
    WorkerSettings,
)
from atoll.settings.watching import WatchSettings

#: What the local stack's children keep of the operator's environment besides settings: everything else, proxies
#: among it, stays outside.
INHERITED = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH")

_PLACEHOLDERS = frozenset({"changeme", "change-me", "change_me", "password", "secret", "placeholder", "xxx", "todo"})


class Settings(BaseSettings):
    """All settings of all roles."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=NESTING, extra="forbid", frozen=True, env_ignore_empty=False
    )

    data_dir: Path = Field(Path(".atoll"), description="Everything Atoll keeps on this machine.")
    api_key: str | None = Field(None, description="Key the command line uses instead of <data>/owner.key.")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    pepper_file: Path | None = Field(
        None, description="The secret that API key hashes are keyed with; default in <data>."
    )
    owner_key_file: Path | None = Field(None, description="The owner key; default <data>/owner.key.")
    pull_policy: str = Field("missing", description="Compose: missing, or never on a machine without a registry.")

    gateway: GatewaySettings = GatewaySettings()
    mcp: McpSettings = McpSettings()
    records: RecordSettings = RecordSettings()
    queue: QueueSettings = QueueSettings()
    vectors: VectorSettings = VectorSettings()
    embeddings: EmbeddingSettings = EmbeddingSettings()
    reranker: RerankerSettings = RerankerSettings()
    pages: PageSettings = PageSettings()
    models: ModelSettings = ModelSettings()
    parser: ParserSettings = ParserSettings()
    ocr: OcrSettings = OcrSettings()
    worker: WorkerSettings = WorkerSettings()
    watch: WatchSettings = WatchSettings()
    chunking: ChunkingSettings = ChunkingSettings()
    chat: ChatSettings = ChatSettings()
    graph: GraphSettings = GraphSettings()
    query: QuerySettings = QuerySettings()
    edge: EdgeSettings = EdgeSettings()
    compose: ComposeSettings = ComposeSettings()

    @property
    def records_path(self) -> Path:
        """The SQLite record store."""
        return self.data_dir / "records.sqlite3"

    @property
    def blobs_dir(self) -> Path:
        """Originals and artefacts, one folder per document."""
        return self.data_dir / "blobs"

    @property
    def run_dir(self) -> Path:
        """Sockets, per-start credentials and the supervisor's state."""
        return self.data_dir / "run"

    @property
    def logs_dir(self) -> Path:
        """One log file per role."""
        return self.data_dir / "logs"

    @property
    def vectors_dir(self) -> Path:
        """Shards of the local vector server."""
        return self.vectors.data_dir or self.data_dir / "vectors"

    @property
    def parser_socket(self) -> Path:
        """Unix socket of the parser role."""
        return self.parser.socket or self.run_dir / "parser.sock"

    @property
    def pepper_path(self) -> Path:
        """The secret that API key hashes are keyed with."""
        return self.pepper_file or self.data_dir / "secrets" / "pepper"

    @property
    def owner_key_path(self) -> Path:
        """The first key, written by `atoll init`, mode 0600."""
        return self.owner_key_file or self.data_dir / "owner.key"

    @property
    def admin_key_path(self) -> Path:
        """The key that manages tenants, written by `atoll init --admin`, mode 0600."""
        return self.data_dir / "admin.key"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, aliases translated, and nothing else."""
        del env_settings, dotenv_settings, file_secret_settings
        return init_settings, _AliasedEnvironment(settings_cls)


class _AliasedEnvironment(EnvSettingsSource):
    """The process environment with established names translated; our own names win over aliases."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in translate(os.environ).items()}


def of_compose(file: Path) -> dict[str, str]:
    """Return what Compose fills its files with: defaults, then ``file`` (.env), then the environment, by name."""
    given = {knob.name: str(knob.default) for knob in knobs(Settings) if knob.default is not None}
    return given | {name: value for name, value in dotenv_values(file).items() if value} | dict(os.environ)


def load() -> Settings:
    """Read the environment.

    Raises:
        StartRefused: for an unknown ``ATOLL_*`` name, an empty or placeholder value, or one out of range; the
            message names the variable.
    """
    known = {knob.name for knob in knobs(Settings)}
    for name, value in sorted(os.environ.items()):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            raise StartRefused(f"{name} is not a setting of Atoll; .env.example lists them all")
        if not value.strip() or value.strip().lower() in _PLACEHOLDERS:
            raise StartRefused(f"{name} is empty or a placeholder; set a real value or remove it")
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + NESTING.join(str(part).upper() for part in first["loc"])
        raise StartRefused(f"{name}: {first['msg']}") from error


def unsupported() -> list[str]:
    """Return a line for each name of another system in the environment that means nothing here, and what to use."""
    return warnings(os.environ)


def inherited() -> dict[str, str]:
    """Return the part of the environment that is neither a setting nor kept from child processes."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}
