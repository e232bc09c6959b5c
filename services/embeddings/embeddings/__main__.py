"""``python -m embeddings``: the embedding server's composition root."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atoll import settings
from atoll.errors import StartRefused
from atoll.serving.drain import Lifecycle
from atoll.serving.environment import process_environment
from atoll.serving.http import host_names
from atoll.serving.queue import Lane
from atoll.serving.runner import Runner, by_kind
from atoll.serving.server import serve
from atoll.serving.start import leave, load_in_background, read_token
from atoll.serving.weights import weights_sha256
from embeddings import folder
from embeddings.app import MAX_BODY_BYTES, Limits, Service, build, build_service, window
from embeddings.pairing import Pair
from embeddings.tokenizing import Text

if TYPE_CHECKING:
    from embeddings.cross_encoder import LoadedCrossEncoder
    from embeddings.model import Vectors

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
    lock_file, full = configuration.models.checked_lock_file, configuration.models.verify is settings.ModelCheck.FULL
    name, model_dir = folder.find(knobs.model_dir, lock_file=lock_file, full=full)
    reranker_dir = configuration.reranker.model_dir
    if reranker_dir is not None:
        folder.check_cross_encoder(reranker_dir, lock_file=lock_file, full=full)
    token = read_token(knobs.token_file)
    lifecycle = Lifecycle()
    limits = Limits(
        max_request_texts=knobs.max_request_texts,
        max_batch_tokens=knobs.max_batch_tokens,
        queue_tokens={Lane.DOCUMENT: knobs.queue_tokens, Lane.QUERY: int(knobs.queue_tokens * QUERY_LANE_SHARE)},
    )
    service = build_service(lifecycle=lifecycle, limits=limits, workers=workers)
    app = build(service, name=name, allowed_hosts=host_names(knobs.host, knobs.allowed_hosts), token=token)
    plan = _Plan(name, model_dir, reranker_dir, knobs.dtype.value, threads=threads, workers=workers)
    load_in_background(lambda: _load(service, plan), lifecycle, subject=str(model_dir))
    answered = serve(app, host=knobs.host, port=knobs.port, lifecycle=lifecycle, max_body_bytes=MAX_BODY_BYTES)
    if lifecycle.failure is not None:
        raise StartRefused(lifecycle.failure)
    service.queue.close()
    return 0 if answered else 1


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be loaded, and how it shares the cores."""

    name: str
    model_dir: Path
    reranker_dir: Path | None
    dtype: str
    threads: int
    workers: int


def _load(service: Service, plan: _Plan) -> None:
    """Load the models and send one input through each along the whole path."""
    # torch takes seconds to import; meanwhile the server answers /health and /ready.
    from embeddings import cross_encoder
    from embeddings.model import load

    threads_per_worker = plan.threads // plan.workers
    model = load(
        plan.model_dir, dtype=plan.dtype, threads_per_worker=threads_per_worker, tokenizing_threads=plan.threads
    )
    runs: dict[type, Callable[[Sequence[Any]], Sequence[Vectors]]] = {Text: model.forward}
    ranker = None
    if plan.reranker_dir is not None:
        ranker = cross_encoder.load(plan.reranker_dir, dtype=plan.dtype, tokenizing_threads=plan.threads)
        runs[Pair] = ranker.forward
    Runner(queue=service.queue, run=by_kind(runs), workers=plan.workers, metrics=service.metrics).start()
    probe = model.tokenizer.prepare(["ready"], input_type=None, truncate=True)
    service.queue.submit(probe.weighed, Lane.QUERY).outcome(_STOP_SECONDS)
    service.model, service.ranker = model, ranker
    service.card = {
        "model": plan.name,
        "weights_sha256": weights_sha256(plan.model_dir),
        "dimensions": model.dimensions,
        **window(model),
        "spans": model.forward.has_spans,
        "dtype": model.dtype,
        "agreement_with_fp32": model.agreement,
        "workers": plan.workers,
        "threads_per_worker": threads_per_worker,
        "rerank": _ranker_card(ranker, plan.reranker_dir),
        "limits": service.limits.as_dict(),
    }
    _log.info("%s ready: %s, agreement %.5f", plan.name, model.dtype, model.agreement)


def _ranker_card(ranker: LoadedCrossEncoder | None, model_dir: Path | None) -> object:
    """Return what ``/info`` says of the cross-encoder; false without one."""
    if ranker is None or model_dir is None:
        return False
    return {
        "model": ranker.name,
        "weights_sha256": weights_sha256(model_dir),
        "max_tokens": ranker.tokenizer.max_tokens,
        "dtype": ranker.dtype,
        "agreement_with_fp32": ranker.agreement,
    }


if __name__ == "__main__":
    leave(main())
