"""Settings of the role that keeps a knowledge base in step with a folder."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from atoll.settings.sections import Seconds, Section


class WatchSettings(Section):
    """The role that mirrors a folder; without a folder there is none."""

    folder: Path | None = Field(
        None, description="Folder that a knowledge base mirrors; in Compose, the folder of this machine to mount."
    )
    kb: str = Field("default", description="The knowledge base that mirrors it.")
    labels: str | None = Field(None, description="Labels of its documents, separated by commas.")
    key_file: Path | None = Field(None, description="File of the key that it uses; default the owner's.")
    look_seconds: Seconds = Field(
        5.0, description="How often the folder is looked at where the kernel tells nothing of its changes."
    )
    heartbeat_file: Path | None = Field(None, description="File touched every few seconds while it watches.")
