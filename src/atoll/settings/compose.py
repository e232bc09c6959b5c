"""The knobs that only `docker compose` reads, from `.env` beside docker-compose.yml."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from atoll.settings.sections import Count, Section


class EdgeSettings(Section):
    """The container stack's reverse proxy, the only published port (ATOLL_GATEWAY__PORT)."""

    bind: str = Field("127.0.0.1", description="Compose: address of this machine that the stack is published on.")
    accept_plaintext: bool = Field(
        False, description="Compose: publish beyond loopback without TLS; keys then cross the network readable."
    )
    requests_per_second: Count = Field(
        50, description="Compose: requests an address may make in a second before its key is looked at."
    )


class ComposeSettings(Section):
    """What only `docker compose` reads, from .env beside docker-compose.yml."""

    tag: str = Field("0.1.0", description="Tag of our own images.")
    secrets_dir: Path = Field(Path("secrets"), description="Folder of secret files, made by `atoll init --compose`.")
    models_dir: Path = Field(Path("models"), description="Folder of model weights, mounted read-only at /models.")
    hf_cache_dir: Path = Field(
        Path("models"), description="An existing Hugging Face cache, mounted read-only at /cache/huggingface."
    )
    cpus: float = Field(2.0, gt=0, description="Processors that one service may use at most.")
    chat_memory: str = Field("12g", description="Main memory that the chat server may take.")
    pull_user: str = Field("65532:65532", description="uid:gid that models-pull writes models as.")
    python_image: str = Field("python:3.11-slim-bookworm", description="Builds: what our images start from.")
    build_image: str = Field("python:3.11-slim-bookworm", description="Builds: where packages are installed.")
    torch: str = Field("torch==2.13.0", description="Builds: torch for processors, as pip is to be asked for it.")
    torch_cuda: str = Field("torch==2.13.0", description="Builds: torch for the images of profile gpu.")
    bake_models: int = Field(0, ge=0, le=1, description="Builds: 1 puts ./models into the two model servers' images.")
    revision: str = Field("unknown", description="Builds: the commit, for the images' labels.")
