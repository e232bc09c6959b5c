"""Stands in for Qdrant where its image cannot be had: our vector server, which speaks the used part of its REST API.

Reads the key from the configuration file that the shipped command line names, as Qdrant does.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from atoll.local.vectors.optimiser import OptimiserLimits
from atoll.local.vectors.server import serve


def main() -> None:
    """Serve on Qdrant's own port until SIGTERM."""
    configuration = Path(sys.argv[sys.argv.index("--config-path") + 1]).read_text(encoding="utf-8")
    match = re.search(r"api_key: (\S+)", configuration)
    assert match is not None, "the configuration holds no key"
    serve(
        host="0.0.0.0",
        port=6333,
        directory=Path("/qdrant/storage"),
        api_key=match[1],
        allowed_hosts=("127.0.0.1", "localhost", "qdrant"),
        limits=OptimiserLimits(points=30_000),
    )


if __name__ == "__main__":
    main()
