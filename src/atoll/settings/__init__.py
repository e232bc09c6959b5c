"""Every knob of Atoll, declared once; `load` reads them from the environment and refuses what is wrong.

Names are ``ATOLL_<SECTION>__<NAME>``. What a knob is stands in `sections`, those of the parser in `reading`, those
of a mirrored folder in `watching`, those that only Compose reads in `compose`, the accepted names of comparable
systems in `aliases`.
"""

from atoll.settings.agents import McpSettings
from atoll.settings.aliases import ALIASES, NOT_SUPPORTED, translate
from atoll.settings.compose import ComposeSettings, EdgeSettings
from atoll.settings.environment import INHERITED, Settings, inherited, load, of_compose, unsupported
from atoll.settings.knobs import NESTING, PREFIX, Knob, knobs
from atoll.settings.reading import ParserSettings
from atoll.settings.sections import (
    ChatSettings,
    ChunkingSettings,
    Dtype,
    EmbeddingSettings,
    ExtractorKind,
    GatewaySettings,
    GraphSettings,
    ModelCheck,
    ModelSettings,
    PageBackend,
    PageSettings,
    QuerySettings,
    QueueSettings,
    RecordSettings,
    RecordStoreKind,
    RerankerSettings,
    VectorSettings,
    WorkerSettings,
)
from atoll.settings.watching import WatchSettings

__all__ = [
    "ALIASES",
    "INHERITED",
    "NESTING",
    "NOT_SUPPORTED",
    "PREFIX",
    "ChatSettings",
    "ChunkingSettings",
    "ComposeSettings",
    "Dtype",
    "EdgeSettings",
    "EmbeddingSettings",
    "ExtractorKind",
    "GatewaySettings",
    "GraphSettings",
    "Knob",
    "McpSettings",
    "ModelCheck",
    "ModelSettings",
    "PageBackend",
    "PageSettings",
    "ParserSettings",
    "QuerySettings",
    "QueueSettings",
    "RecordSettings",
    "RecordStoreKind",
    "RerankerSettings",
    "Settings",
    "VectorSettings",
    "WatchSettings",
    "WorkerSettings",
    "inherited",
    "knobs",
    "load",
    "of_compose",
    "translate",
    "unsupported",
]
