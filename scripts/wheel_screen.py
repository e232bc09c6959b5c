"""Part of building a wheel: the built browser screen goes into it, beside the gateway that serves it.

Only a screen that was made of these very sources; a wheel of a checkout without one has none, and its gateway says so.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ScreenInWheel(BuildHookInterface[Any]):
    """What hatchling asks before it builds."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what else goes in; an editable install serves the screen where it lies."""
        if version != "editable":
            build_data["force_include"] |= included()


def included() -> dict[str, str]:
    """Return which folder goes where in a wheel, both by their place in the checkout."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    try:
        from scripts import screen
    finally:
        sys.path.pop(0)
    return {str(screen.DIST): "gateway/gateway/screen"} if screen.is_current() else {}
