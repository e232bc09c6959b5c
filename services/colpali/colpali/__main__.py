"""``python -m colpali``: the page-image server's composition root."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from atoll import settings
from atoll.errors import StartRefused
from atoll.serving.drain import Lifecycle
from atoll.serving.environment import process_environment
from atoll.serving.http import host_names
from atoll.serving.queue import Lane
from atoll.serving.runner import Runner
from atoll.serving.server import serve
from atoll.serving.start import leave, load_in_background, read_token
from atoll.settings import PageBackend as Kind
from colpali.app import MAX_BODY_BYTES, Limits, Service, build, build_service
from colpali.backend import Backend, Line, PageBackend, SourcePage
from colpali.embedding_client import EmbeddingClient
from colpali.fake import Fake
from colpali.text_lines import TextLines

#: Longest wait for the embedding server to come up beside this one.
EMBEDDING_START_SECONDS = 120.0
#: Longest first forward pass: a page on a slow processor.
_PROBE_SECONDS = 300.0

_log = logging.getLogger("colpali")


def main() -> int:
    """Serve until told to stop; return the exit code."""
    try:
        return _run(settings.load())
    except StartRefused as refusal:
        sys.stderr.write(f"colpali: {refusal.message}\n")
        return 1


def _run(configuration: settings.Settings) -> int:
    logging.basicConfig(level=configuration.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # else a line a request
    knobs = configuration.pages
    os.environ.update(process_environment(_threads(configuration)))
    token = read_token(knobs.token_file)
    load = _prepared(configuration)
    lifecycle = Lifecycle()
    limits = Limits(
        max_request_pages=knobs.max_request_pages,
        max_pixels=knobs.max_pixels,
        max_batch_tokens=knobs.max_batch_tokens,
        queue_tokens=knobs.queue_tokens,
    )
    service = build_service(lifecycle=lifecycle, limits=limits)
    app = build(service, allowed_hosts=host_names(knobs.host, knobs.allowed_hosts), token=token)
    load_in_background(lambda: _load(service, load), lifecycle, subject="the backend")
    answered = serve(app, host=knobs.host, port=knobs.port, lifecycle=lifecycle, max_body_bytes=MAX_BODY_BYTES)
    if lifecycle.failure is not None:
        raise StartRefused(lifecycle.failure)
    service.pages.close()
    service.queries.close()
    return 0 if answered else 1


def _threads(configuration: settings.Settings) -> int:
    return configuration.pages.threads or len(os.sched_getaffinity(0))


def _prepared(configuration: settings.Settings) -> Callable[[], Backend[Any]]:
    """Check what can be checked at once, and return what loads the backend.

    Raises:
        StartRefused: something that the backend needs is missing.
    """
    return _BACKENDS[configuration.pages.backend](configuration)


def _fake(_configuration: settings.Settings) -> Callable[[], Backend[Any]]:
    return Fake


def _text_lines(configuration: settings.Settings) -> Callable[[], Backend[Any]]:
    embeddings = configuration.embeddings
    client = EmbeddingClient(
        url=embeddings.url, token=read_token(embeddings.token_file), timeout_seconds=embeddings.timeout_seconds
    )
    return lambda: TextLines(client, client.wait_for_info(EMBEDDING_START_SECONDS))


def _colpali(configuration: settings.Settings) -> Callable[[], Backend[Any]]:
    from colpali.checkpoint import find

    knobs = configuration.pages
    checkpoint = find(
        knobs.model_dir,
        longest_edge=knobs.longest_edge,
        max_tiles=knobs.max_tiles,
        lock_file=configuration.models.checked_lock_file,
        full=configuration.models.verify is settings.ModelCheck.FULL,
    )
    threads = _threads(configuration)

    def load() -> Backend[Any]:
        # torch takes seconds to import; meanwhile the server answers /health and /ready.
        from colpali.vision import load

        return load(checkpoint, dtype=knobs.dtype.value, threads=threads)

    return load


_BACKENDS: Mapping[Kind, Callable[[settings.Settings], Callable[[], Backend[Any]]]] = {
    Kind.FAKE: _fake,
    Kind.TEXT_LINES: _text_lines,
    Kind.COLPALI: _colpali,
}


def _load(service: Service, load: Callable[[], Backend[Any]]) -> None:
    """Load the backend and send a page, if it makes any, and a query through the whole path."""
    backend = load()
    if isinstance(backend, PageBackend):
        Runner(queue=service.pages, run=backend.run_pages, workers=1, metrics=service.metrics).start()
        page, tokens = backend.prepare_page(_probe())
        (raw,) = service.pages.submit([(page, tokens)], Lane.DOCUMENT).outcome(_PROBE_SECONDS)
        backend.finish_page(page, raw)
    Runner(queue=service.queries, run=backend.run_queries, workers=1, metrics=service.metrics).start()
    service.queries.submit([backend.prepare_query("ready")], Lane.QUERY).outcome(_PROBE_SECONDS)
    service.backend = backend
    service.card = {**backend.card.as_dict(), "limits": service.limits.as_dict()}
    _log.info("%s ready: %s", backend.card.backend, backend.card.model)


def _probe() -> SourcePage:
    """Return an A4 page, drawn at 72 dpi."""
    width, height = 595, 842
    return SourcePage(width, height, (Line("ready", (72, 72, 144, 84)),), Image.new("RGB", (width, height), "white"))


if __name__ == "__main__":
    leave(main())
