"""The browser screen on a warm local stack with the samples: python -m benchmarks.screen.

Prints JSON: the bytes of the first load; medians of five of the milliseconds until the screen can be used, until the
first evidence stands on it after Enter, and until a page with its mark does after a click; what the page's memory grew
by over a hundred questions; and the longest task while a list of 20,000 documents is scrolled. The documents of that
list are rows of the record store. ``--questions 20`` for a shorter run. Needs chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import subprocess
import tempfile
from pathlib import Path

from scripts import screen
from tests.support.stack import ROOT, SAMPLES, Stack, require, running

DOCUMENTS = 20_000
FOLDERS = 40
KB = "many"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--questions", type=int, default=100, help="over which memory is looked at")
    chosen = arguments.parse_args()
    chromium = require("chromium")
    screen.build()
    # Runs no script: it has everything installed, the browser's driver too, and prints nothing.
    assert screen.npm(["run", "nothing", "--if-present", "--silent"]) == 0
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        with stack.client() as owner:
            stack.upload(owner, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
            stack.settled(owner)
            owner.post("/v1/kbs", json={"name": KB}).raise_for_status()
        write_documents(stack)
        done = subprocess.run(
            [screen.node_program(), str(ROOT / "benchmarks" / "screen.mjs"), str(chosen.questions)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": folder,
                "SCREEN_ADDRESS": stack.address,
                "SCREEN_KEY": stack.key,
                "SCREEN_CHROMIUM": chromium,
                "SCREEN_MODULES": str(ROOT / "web" / "package.json"),
            },
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    print(json.dumps({"first_load_bytes": first_load_bytes(), **json.loads(done.stdout)}, indent=2))


def first_load_bytes() -> int:
    """Return the compressed bytes of the page, of what it names, and of one language."""
    page = (screen.DIST / "index.html").read_text()
    named = [screen.DIST / f"{name}.gz" for name in re.findall(r'"/(assets/[^"]+\.(?:js|css))"', page)]
    language = max((screen.DIST / "assets").glob("en-*.js.gz"), key=lambda path: path.stat().st_size)
    return sum(path.stat().st_size for path in (*named, language))


def write_documents(stack: Stack) -> None:
    """Put rows like that of a document that was read into the record store, each with a name of its own."""
    with sqlite3.connect(stack.data / "records.sqlite3", timeout=30.0) as store:
        store.row_factory = sqlite3.Row
        like = dict(store.execute("SELECT * FROM document WHERE status = 'ready' LIMIT 1").fetchone())
        (kb,) = store.execute("SELECT uid FROM kb WHERE name = ?", (KB,)).fetchone()
        last = store.execute("SELECT max(changed_seq) FROM document").fetchone()[0]
        made = {row["name"] for row in store.execute("PRAGMA table_xinfo(document)") if row["hidden"]}
        columns = [name for name in like if name not in {"seq", *made}]
        rows = [
            {
                **like, "uid": f"{at:032x}", "kb": kb, "name": f"report-{at:05d}.pdf",
                "source": f"folder-{at % FOLDERS:02d}",
                "sha256": f"{at:064x}", "indexed": 0, "created_at": like["created_at"] + at, "changed_seq": last + at,
            }
            for at in range(1, DOCUMENTS + 1)
        ]  # fmt: skip
        store.executemany(
            f"INSERT INTO document ({', '.join(columns)}) VALUES ({', '.join(f':{name}' for name in columns)})",  # noqa: S608
            rows,
        )


if __name__ == "__main__":
    main()
