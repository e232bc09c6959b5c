"""The knobs of what agents talk to."""

from __future__ import annotations

from pydantic import Field

from atoll.settings.sections import Seconds, Section


class McpSettings(Section):
    """The Model Context Protocol at /mcp, for agents."""

    enabled: bool = Field(True, description="Serve it; its packages are loaded at the first request.")
    allowed_origins: str = Field(
        "",
        description="Origin header values, separated by commas, that may call it besides the gateway's own pages; a "
        "program that is no browser sends none.",
    )
    sessions: bool = Field(
        True,
        description="Keep sessions for clients of the protocols before 2026-07-28: a call that they cancel ends at "
        "once. False where several gateways share an address, as in Compose: there it ends with its connection.",
    )
    call_seconds: Seconds = Field(300.0, description="Longest time that a tool may take; then its work is given up.")
