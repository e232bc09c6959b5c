"""``python -m embeddings``: the embedding server's composition root."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

from atoll import settings
from atoll.errors import AtollError, StartRefused
from atoll.serving.drain import Lifecycle
from atoll.serving.environment import process_environment
from atoll.serving.http import host_names
from atoll.serving.queue import Lane
from atoll.serving.runner import Runner
from atoll.serving.server import serve
from atoll.serving.start import leave, read_token
from atoll.serving.weights import weights_sha256
from embeddings import folder
from embeddings.app import MAX_BODY_BYTES, Limits, Service, build, build_service, window

#: Model threads, which share the cores. On two cores two single-threaded passes side by side were at least as fast
#: as one pass on both, at 60 and 200 tokens and batches of 1,024 to 8,192; more cores were not measured.
WORKERS = 2
#: Queries wait in a lane of their own, with this share of the document lane's tokens.
QUERY_LANE_SHARE = 0.25
_STOP_SECONDS = 10.0

_log = logging.getLogger("embeddings")


def main() -> int:
    """Serve until told to stop; return the exit code."""
    try:
        return _run(settings.load())
    except StartRefused as refusal:
        sys.stderr.write(f"embeddings: {refusal.message}\n")
        return 1


def _run(configuration: settings.Settings) -> int:
    logging.basicConfig(level=configuration.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    knobs = configuration.embeddings
    threads = knobs.threads or len(os.sched_getaffinity(0))
    workers = min(WORKERS, threads)
    os.environ.update(process_environment(threads // workers))
    name, model_dir = folder.find(
        knobs.model_dir,
        lock_file=configuration.models.checked_lock_file,
        full=configuration.models.verify is settings.ModelCheck.FULL,
    )
    token = read_token(knobs.token_file)
    lifecycle = Lifecycle()
    limits = Limits(
        max_request_texts=knobs.max_request_texts,
        max_batch_tokens=knobs.max_batch_tokens,
        queue_tokens={Lane.DOCUMENT: knobs.queue_tokens, Lane.QUERY: int(knobs.queue_tokens * QUERY_LANE_SHARE)},
    )
    service = build_service(lifecycle=lifecycle, limits=limits, workers=workers)
    app = build(service, name=name, allowed_hosts=host_names(knobs.host, knobs.allowed_hosts), token=token)
    loading = threading.Thread(
        target=_load, args=(service, name, model_dir, knobs.dtype.value, threads, workers), name="load", daemon=True
    )
    loading.start()
    answered = serve(app, host=knobs.host, port=knobs.port, lifecycle=lifecycle, max_body_bytes=MAX_BODY_BYTES)
    if lifecycle.failure is not None:
        raise StartRefused(lifecycle.failure)
    service.queue.close()
    return 0 if answered else 1


def _load(service: Service, name: str, model_dir: Path, dtype: str, threads: int, workers: int) -> None:
    """Load the model, send one text through the whole path, and open the doors."""
    try:
        # torch takes seconds to import; meanwhile the server answers /health and /ready.
        from embeddings.model import load

        threads_per_worker = threads // workers
        model = load(model_dir, dtype=dtype, threads_per_worker=threads_per_worker, tokenizing_threads=threads)
        Runner(queue=service.queue, run=model.forward, workers=workers, metrics=service.metrics).start()
        probe = model.tokenizer.prepare(["ready"], input_type=None, truncate=True)
        service.queue.submit(probe.weighed, Lane.QUERY).outcome(_STOP_SECONDS)
        service.model = model
        service.card = {
            "model": name,
            "weights_sha256": weights_sha256(model_dir),
            "dimensions": model.dimensions,
            **window(model),
            "dtype": model.dtype,
            "agreement_with_fp32": model.agreement,
            "workers": workers,
            "threads_per_worker": threads_per_worker,
            "rerank": False,
            "limits": service.limits.as_dict(),
        }
    except AtollError as error:
        service.lifecycle.fail(error.message)
        return
    # The outermost boundary of the loading thread: without it the process would stay up and never be ready.
    except Exception as error:  # noqa: BLE001
        _log.exception("loading failed")
        service.lifecycle.fail(f"{model_dir} cannot be loaded ({type(error).__name__}); see the log")
        return
    _log.info("%s ready: %s, agreement %.5f", name, model.dtype, model.agreement)
    service.lifecycle.loaded()


if __name__ == "__main__":
    leave(main())
