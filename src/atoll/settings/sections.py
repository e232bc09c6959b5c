"""Every knob of the processes: type, default, unit in the name, and the sentence that `.env.example` prints."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Dtype(StrEnum):
    """Arithmetic of a model server."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class ModelCheck(StrEnum):
    """How much of a model is checked before it is loaded."""

    FAST = "fast"
    FULL = "full"
    OFF = "off"


class RecordStoreKind(StrEnum):
    """What keeps the records."""

    SQLITE = "sqlite"
    NEO4J = "neo4j"


class PageBackend(StrEnum):
    """Where a page's vectors come from."""

    FAKE = "fake"
    TEXT_LINES = "text-lines"
    COLPALI = "colpali"


class ExtractorKind(StrEnum):
    """What finds the names in documents."""

    NLP = "nlp"
    LLM = "llm"
    NONE = "none"


class Section(BaseModel):
    """A group of knobs; unknown names inside it are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySettings(Section):
    """The only process that people and programs talk to."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8000, description="Port to listen on.")
    allowed_hosts: str = Field(
        "127.0.0.1,localhost,[::1]", description="Host header values that are answered, separated by commas."
    )
    max_upload_mib: Count = Field(256, description="Largest upload, counted while it is read (413 past it).")
    max_documents_per_upload: Count = Field(100, description="Most files in one upload.")
    min_free_mib: int = Field(512, ge=0, description="Uploads are refused (507) below this much free disk.")
    requests_per_minute: Count = Field(1200, description="Requests a key may make in a minute (429 past it).")
    concurrent_requests: Count = Field(32, description="Requests a key may have in flight (429 past it).")
    concurrent_uploads: Count = Field(8, description="Uploads in flight over all keys; more wait or get 429.")
    waiting_documents: Count = Field(100_000, description="Documents that may wait in a knowledge base (429 past it).")
    page_cache_mib: Count = Field(256, description="Drawn page images kept on disk.")
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$",
        description="Where people reach the screen, like https://atoll.example; citations told to other programs lead "
        "there. Unset, they are links to page images that hold for five minutes.",
    )
    answer_seconds: Seconds = Field(240.0, description="Longest an answer through the OpenAI routes may take.")
    whole_answer_seconds: Seconds = Field(
        25.0,
        description="Longest wait for an answer there that is not streamed, where the client names no limit of its "
        "own; past it the documents' own sentences are the answer.",
    )
    screen_dir: Path | None = Field(
        None,
        description="Folder of the built browser screen; default the one installed with the gateway, else web/dist.",
    )
    accepted_risks: str = Field(
        "none", description="What `atoll preflight --accept` accepted; the next start writes it to the audit log."
    )

    @property
    def address(self) -> str:
        """Where a client on this machine reaches the gateway."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class RecordSettings(Section):
    """The record store: a file of this machine, or Neo4j."""

    store: RecordStoreKind = Field(
        RecordStoreKind.SQLITE,
        description="sqlite (<data>/records.sqlite3) or neo4j (version 5.26).",
    )
    url: str = Field("bolt://127.0.0.1:7687", description="Address of Neo4j.")
    username: str = Field("neo4j", description="User name at Neo4j.")
    password_file: Path | None = Field(None, description="File that holds the password at Neo4j.")
    password: str | None = Field(None, min_length=1, description="The password itself; a file is the better place.")
    database: str = Field("neo4j", description="Name of the database in Neo4j.")


class QueueSettings(Section):
    """Valkey or Redis: doorbells and rate limits, nothing that matters after a restart."""

    url: str = Field("redis://127.0.0.1:6379/0", description="Redis-protocol address of the broker.")
    password_file: Path | None = Field(None, description="File that holds the broker's password.")
    port: Port = Field(6379, description="Port of the local stack's own Valkey.")


class VectorSettings(Section):
    """Qdrant, or the local vector server that speaks its protocol."""

    url: str = Field("http://127.0.0.1:6333", description="Address of the vector store.")
    grpc: bool = Field(False, description="Speak gRPC: right for a real Qdrant, not offered by the local server.")
    grpc_port: Port = Field(6334, description="gRPC port of a real Qdrant.")
    api_key_file: Path | None = Field(None, description="File that holds the vector store's key.")
    port: Port = Field(6333, description="Port of the local vector server.")
    data_dir: Path | None = Field(None, description="Folder of the local vector server; default <data>/vectors.")
    optimise_points: Count = Field(30_000, description="Points without an index that start an optimisation.")
    timeout_seconds: Seconds = Field(20.0, description="Longest wait for one answer.")


class EmbeddingSettings(Section):
    """The embedding server, ours or any OpenAI-compatible one."""

    url: str = Field("http://127.0.0.1:8081", description="Address of the embedding server.")
    ours: bool = Field(True, description="The server is Atoll's own (accepts input_type, truncate and /v1/tokenize).")
    model: str = Field("local", description="Model name sent to a server that is not ours.")
    dimensions: Count | None = Field(None, description="Cut vectors to this many dimensions; default all.")
    max_tokens: Count = Field(256, description="Window of a server that is not ours and cannot tell.")
    token_file: Path | None = Field(None, description="File that holds the server's bearer token.")
    port: Port = Field(8081, description="Port of our embedding server.")
    host: str = Field("127.0.0.1", description="Address our embedding server listens on.")
    allowed_hosts: str = Field("", description="More Host header values that our server answers, separated by commas.")
    model_dir: Path | None = Field(None, description="Model folder; default the packaged all-MiniLM-L6-v2.")
    threads: int = Field(0, ge=0, description="Threads of a forward pass; 0 means the number of cores.")
    dtype: Dtype = Field(Dtype.AUTO, description="Arithmetic: auto, fp32 or bf16.")
    max_batch_tokens: Count = Field(1024, description="Tokens in one forward pass, padding included.")
    queue_tokens: Count = Field(262_144, description="Tokens that may wait (429 past it).")
    max_request_texts: Count = Field(512, description="Texts in one request.")
    request_texts: Count = Field(64, description="Texts that a worker sends in one request.")
    concurrent_requests: Count = Field(2, description="Requests that one worker process keeps in flight.")
    timeout_seconds: Seconds = Field(60.0, description="Longest wait for one answer.")
    query_seconds: Seconds = Field(
        5.0, description="Longest wait for the vector of a question; past it the question is searched by its words."
    )


class RerankerSettings(Section):
    """The cross-encoder that reads the best passages together with the question; it runs in the embedding server."""

    model_dir: Path | None = Field(None, description="Cross-encoder folder; unset means results are ranked without.")
    url: str | None = Field(None, description="Address of a rerank server; default our embedding server's.")
    token_file: Path | None = Field(None, description="File that holds the bearer token of a server named by URL.")
    model: str = Field("local", description="Model name sent to a server named by URL.")
    depth: Count = Field(30, description="Passages that are reranked.")
    timeout_seconds: Seconds = Field(3.0, description="Longest wait; past it the ranking stays as it was.")


class PageSettings(Section):
    """The page-image server: page vectors for late interaction."""

    enabled: bool = Field(True, description="Embed and search pages; the local stack then runs a page-image server.")
    url: str | None = Field(None, description="Address of the page-image server; unset means pages are not searched.")
    token_file: Path | None = Field(None, description="File that holds the server's bearer token.")
    port: Port = Field(8082, description="Port of our page-image server.")
    host: str = Field("127.0.0.1", description="Address our page-image server listens on.")
    allowed_hosts: str = Field("", description="More Host header values that our server answers, separated by commas.")
    backend: PageBackend = Field(
        PageBackend.TEXT_LINES, description="colpali (sees images), text-lines (no vision weights) or fake (tests)."
    )
    model_dir: Path | None = Field(None, description="Model folder of the colpali backend.")
    longest_edge: Count | None = Field(None, description="Pixels of a page's longer side; default the model's own.")
    max_tiles: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Most tiles of a page, the overview among them, for models that cut pages into tiles."
    )
    threads: int = Field(0, ge=0, description="Threads of a forward pass; 0 means the number of cores.")
    dtype: Dtype = Field(Dtype.AUTO, description="Arithmetic: auto, fp32 or bf16.")
    max_batch_tokens: Count = Field(2048, description="Tokens of pages in one forward pass, padding included.")
    queue_tokens: Count = Field(32_768, description="Tokens of pages that may wait (429 past it).")
    max_request_pages: Count = Field(8, description="Pages in one request.")
    max_pixels: Count = Field(40_000_000, description="Pixels of one page image, checked before it is decoded.")
    batch_pages: Count = Field(4, description="Pages that a worker sends in one request.")
    query_seconds: Seconds = Field(2.0, description="A mix search goes on without pages after so long.")
    timeout_seconds: Seconds = Field(300.0, description="Longest wait for one answer.")


class ModelSettings(Section):
    """Weights on disk, and what they are checked against before a server loads them."""

    lock_file: Path | None = Field(
        None, description="Lock file that a model must be in; without one, only file formats are checked."
    )
    verify: ModelCheck = Field(
        ModelCheck.FAST, description="fast: sizes and headers; full: every byte; off: file formats only."
    )

    @property
    def checked_lock_file(self) -> Path | None:
        """The lock file that models are checked against, if they are."""
        return None if self.verify is ModelCheck.OFF else self.lock_file


class WorkerSettings(Section):
    """Ingestion workers."""

    threads: Count = Field(4, description="Documents one worker process works on at a time.")
    slice_seconds: Seconds = Field(30.0, description="A worker works on a document this long before others get a turn.")
    lease_seconds: Seconds = Field(20.0, description="A claim that is not renewed for so long may be taken over.")
    reconcile_seconds: Seconds = Field(2.0, description="How often the ledger is looked through for forgotten work.")
    heartbeat_file: Path | None = Field(None, description="File touched every few seconds while the worker works.")
    index_check_seconds: Seconds = Field(
        30.0, description="How often the vector index is compared with the record store, and rebuilt where it differs."
    )
    purge_grace_seconds: float = Field(2.0, ge=0, description="Extra wait before a purge looks for late writes.")


class ChunkingSettings(Section):
    """How documents are cut."""

    chunk_tokens: Count = Field(1200, description="Tokens in a chunk, the unit of extraction and of prompts.")
    overlap_tokens: int = Field(100, ge=0, description="Tokens that neighbouring chunks share, in whole passages.")


class ChatSettings(Section):
    """Any OpenAI-compatible chat server; without one, answers are extracted sentences."""

    url: str | None = Field(None, description="Address up to and including /v1; unset means no chat model.")
    model: str = Field("local", description="Model name sent to the chat server.")
    api_key_file: Path | None = Field(None, description="File that holds the chat server's key.")
    context_tokens: Count = Field(8192, description="Context window of the model.")
    answer_tokens: Count = Field(768, description="Longest answer.")
    timeout_seconds: Seconds = Field(240.0, description="Longest wait for one answer.")
    first_token_seconds: Seconds = Field(20.0, description="Prompts are cut to what the model reads in this time.")
    # The rest is for the container stack's own chat server and becomes part of its command.
    model_file: str | None = Field(
        None, description="Compose: the model's place inside ATOLL_COMPOSE__MODELS_DIR, a .gguf file (vLLM: a folder)."
    )
    threads: int = Field(-1, description="Compose, llama.cpp: threads; -1 means the number of cores.")
    gpu_layers: int = Field(0, ge=0, description="Compose, llama.cpp: layers computed on a GPU.")
    mlock: bool = Field(False, description="Compose, llama.cpp: keep the whole model in main memory.")
    gpu_memory_utilization: float = Field(
        0.85, gt=0, le=1, description="Compose, vLLM: share of the GPU's memory to take."
    )
    dtype: str = Field("auto", description="Compose, vLLM: arithmetic, auto, bfloat16, float16 or float32.")


class GraphSettings(Section):
    """The knowledge graph: who finds the names in documents, and what they are said to have to do with each other."""

    extractor: ExtractorKind = Field(
        ExtractorKind.NLP,
        description="nlp (named entities, no LLM), llm (a chat model: relations too) or none; for new documents.",
    )
    url: str | None = Field(None, description="Chat server of the llm extractor, up to /v1; default ATOLL_CHAT__URL.")
    model: str | None = Field(None, description="Model of the llm extractor; default ATOLL_CHAT__MODEL.")
    api_key_file: Path | None = Field(None, description="File with that server's key; default that of the chat server.")
    prompt_tokens: Count = Field(
        3_000, description="Tokens in one request of the llm extractor; longer chunks are split."
    )
    reply_tokens: Count = Field(3_000, description="Longest reply of the llm extractor.")
    gleaning: bool = Field(True, description="Ask the model once more when it says that it has not told everything.")
    concurrent_requests: Count = Field(4, description="Requests of the llm extractor in flight for one document.")
    timeout_seconds: Seconds = Field(240.0, description="Longest wait for one reply of the llm extractor.")


class QuerySettings(Section):
    """How questions are answered."""

    top_k: Count = Field(40, description="Entities and relations looked at.")
    chunk_top_k: Count = Field(20, description="Passages that reach the answer.")
    max_entity_tokens: Count = Field(6_000, description="Tokens of entities in a prompt.")
    max_relation_tokens: Count = Field(8_000, description="Tokens of relations in a prompt.")
    max_total_tokens: Count = Field(30_000, description="Tokens of a prompt.")
    certainty: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="How likely an answer must be right to be given, 0 to 1; below it the nearest passages are shown.",
    )
