"""The vector server as a role: settings in, server out."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from atoll import settings
from atoll.errors import StartRefused
from atoll.local.vectors.optimiser import OptimiserLimits
from atoll.local.vectors.server import serve


def main() -> int:
    """Serve until told to stop; 1 with one line when the server may not start."""
    try:
        values = settings.load()
        logging.basicConfig(level=values.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        serve(
            host="127.0.0.1",
            port=values.vectors.port,
            directory=values.vectors_dir,
            api_key=_key(values.vectors.api_key_file),
            limits=OptimiserLimits(points=values.vectors.optimise_points),
        )
    except StartRefused as refusal:
        sys.stderr.write(f"{refusal.message}\n")
        return 1
    return 0


def _key(path: Path | None) -> str:
    if path is None:
        raise StartRefused("ATOLL_VECTORS__API_KEY_FILE is not set; name a file that holds the vector server's key")
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise StartRefused(f"ATOLL_VECTORS__API_KEY_FILE: {path} cannot be read ({error.strerror})") from error


if __name__ == "__main__":
    sys.exit(main())
