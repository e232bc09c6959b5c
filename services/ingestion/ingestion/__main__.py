"""Start an ingestion worker: `python -m ingestion`."""

from __future__ import annotations

import sys

from atoll import logs, settings
from atoll.bootstrap.worker import Ingestion
from atoll.errors import StartRefused
from ingestion.worker import Worker


def main() -> int:
    """Run until SIGTERM; return the exit code."""
    try:
        values = settings.load()
        logs.configure(values.log_level)
        worker = Worker(
            Ingestion(values),
            threads=values.worker.threads,
            reconcile_seconds=values.worker.reconcile_seconds,
            heartbeat_file=values.worker.heartbeat_file,
        )
        worker.run()
    except StartRefused as refusal:
        sys.stderr.write(f"ingestion: {refusal}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
