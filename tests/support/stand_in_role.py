"""A role of the local stack that does nothing but live, answer, misbehave on demand and die: run by path."""

from __future__ import annotations

import argparse
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


class _Ok(http.server.BaseHTTPRequestHandler):
    unready_at = float("inf")

    def do_GET(self) -> None:
        self.send_response(200 if time.monotonic() < self.unready_at else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--starts", type=Path, required=True, help="a line with the time and pid of every start")
    parser.add_argument("--slow", type=float, default=0.0, help="seconds before the first answer")
    parser.add_argument("--refuse", help="the one line of a refusal")
    parser.add_argument("--die-after", type=float, help="seconds of life")
    parser.add_argument("--unready-after", type=float, help="seconds of life after which it answers 503")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--grandchild", action="store_true", help="leave a process behind that outlives this one")
    parser.add_argument("--flood-mib", type=int, default=0)
    options = parser.parse_args()
    with options.starts.open("a") as file:
        file.write(f"{time.monotonic()} {os.getpid()}\n")
    if options.refuse:
        sys.exit(options.refuse)
    if options.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.grandchild:
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
        options.starts.with_suffix(".grandchild").write_text(str(left.pid))
    time.sleep(options.slow)
    if options.unready_after is not None:
        _Ok.unready_at = time.monotonic() + options.unready_after
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), _Ok)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(options.flood_mib * 1024):
        os.write(1, b"x" * 1023 + b"\n")
    if options.flood_mib:
        os.write(1, b"flood over\n")
    if options.die_after is not None:
        time.sleep(options.die_after)
        os._exit(3)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
