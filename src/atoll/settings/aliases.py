"""Names of comparable systems: those accepted for a knob of ours, and those that are answered with one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from atoll.settings.knobs import PREFIX


def _milliseconds(value: str) -> str:
    return str(float(value) / 1000)


#: Established names -> ours, with the unit conversion where they differ.
ALIASES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "LOCAL_LLM_ENDPOINT": ("ATOLL_CHAT__URL", str),
    "LOCAL_LLM_MODEL": ("ATOLL_CHAT__MODEL", str),
    "LOCAL_LLM_CONTEXT_LENGTH": ("ATOLL_CHAT__CONTEXT_TOKENS", str),
    "LOCAL_LLM_TIMEOUT": ("ATOLL_CHAT__TIMEOUT_SECONDS", _milliseconds),
    "LOCAL_EMBEDDING_ENDPOINT": ("ATOLL_EMBEDDINGS__URL", str),
    "LOCAL_EMBEDDING_MODEL": ("ATOLL_EMBEDDINGS__MODEL", str),
    "LOCAL_EMBEDDING_DIMENSIONS": ("ATOLL_EMBEDDINGS__DIMENSIONS", str),
    "EMBEDDING_BATCH_SIZE": ("ATOLL_EMBEDDINGS__REQUEST_TEXTS", str),
    "CHUNK_SIZE": ("ATOLL_CHUNKING__CHUNK_TOKENS", str),
    "CHUNK_OVERLAP_SIZE": ("ATOLL_CHUNKING__OVERLAP_TOKENS", str),
    "TOP_K": ("ATOLL_QUERY__TOP_K", str),
    "CHUNK_TOP_K": ("ATOLL_QUERY__CHUNK_TOP_K", str),
    "MAX_ENTITY_TOKENS": ("ATOLL_QUERY__MAX_ENTITY_TOKENS", str),
    "MAX_RELATION_TOKENS": ("ATOLL_QUERY__MAX_RELATION_TOKENS", str),
    "MAX_TOTAL_TOKENS": ("ATOLL_QUERY__MAX_TOTAL_TOKENS", str),
    "MAX_ASYNC": ("ATOLL_EMBEDDINGS__CONCURRENT_REQUESTS", str),
    "MAX_PARALLEL_INSERT": ("ATOLL_WORKER__THREADS", str),
    "NEO4J_URI": ("ATOLL_RECORDS__URL", str),
    "NEO4J_USERNAME": ("ATOLL_RECORDS__USERNAME", str),
    "NEO4J_PASSWORD": ("ATOLL_RECORDS__PASSWORD", str),
    "REDIS_URI": ("ATOLL_QUEUE__URL", str),
    "QDRANT_URL": ("ATOLL_VECTORS__URL", str),
}

#: Names from other systems that mean something Atoll does in another way -> what to use.
NOT_SUPPORTED: Mapping[str, str] = {
    "OPENAI_API_KEY": "ATOLL_CHAT__URL and ATOLL_CHAT__API_KEY_FILE (a server of your own)",
    "USE_AZURE_OPENAI": "ATOLL_CHAT__URL (any OpenAI-compatible server on your network)",
    "DATABASE_URL": "ATOLL_RECORDS__STORE and ATOLL_RECORDS__URL",
    "KV_STORAGE": "ATOLL_RECORDS__STORE (sqlite or neo4j)",
    "VECTOR_STORAGE": "ATOLL_VECTORS__URL",
    "COSINE_THRESHOLD": "ATOLL_QUERY__CERTAINTY (what near means is measured on the embedding model itself)",
    "GRAPH_STORAGE": "ATOLL_RECORDS__STORE (the graph lives in the record store)",
}


def translate(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the ``ATOLL_*`` part of ``environ`` with aliases filled in."""
    ours = {name: value for name, value in environ.items() if name.startswith(PREFIX)}
    for alias, (name, convert) in ALIASES.items():
        if alias in environ and name not in ours and environ.get("USE_LOCAL_MODELS", "true").lower() != "false":
            ours[name] = convert(environ[alias])
    return ours


def warnings(environ: Mapping[str, str]) -> list[str]:
    """Return one start-up line for each name that belongs to another system."""
    return [f"not supported: {name}, use {use}" for name, use in NOT_SUPPORTED.items() if name in environ]
