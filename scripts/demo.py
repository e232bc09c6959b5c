"""From nothing to a cited answer: start the local stack, read samples/, ask a question, say what to do next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from atoll.cli import render

ROOT = Path(__file__).parents[1]
ATOLL = Path(sys.executable).with_name("atoll")
KB = "default"
QUESTION = "How long will the usable fuel at Osk Head last in winter?"
NEXT_QUESTION = "What mistake in the February minutes did the Board correct?"

NEXT = """
Atoll goes on running at {address}; {address}/docs describes its API.
{screen}

Next:

  {atoll} open
      prints another link that signs a browser in
  {atoll} ask "{question}"
  {page}
      saves the page behind the first citation, the passage marked
  {atoll} ingest YOUR_FOLDER
  {atoll} down
"""


def atoll(*arguments: str) -> None:
    """Run a command of Atoll and show what it prints."""
    subprocess.run([ATOLL, *arguments], check=True)


def body_of(*arguments: str) -> dict[str, Any]:
    """Run a command of Atoll and return what it prints as JSON."""
    printed = subprocess.run([ATOLL, *arguments, "--json"], check=True, stdout=subprocess.PIPE).stdout
    body: dict[str, Any] = json.loads(printed)
    return body


def demonstrate() -> int:
    """Run the demo; return the exit code."""
    atoll("up", "--local")
    atoll("ingest", "samples", "--kb", KB)
    print(f"\n> {QUESTION}\n", flush=True)
    answer = body_of("ask", QUESTION, "--kb", KB)
    render.answer(answer, kb=KB)
    if not answer["citations"]:
        print("The demo's question should have been answered with a citation; `atoll documents list` shows why not.")
        return 1
    command = os.path.relpath(ATOLL)
    page = render.page_command(answer["citations"][0]["evidence"], kb=KB).removeprefix("atoll")
    address = body_of("status")["address"]
    if (ROOT / "web" / "dist" / "index.html").is_file():
        screen = f"Open {body_of('open')['url']} in a browser: it signs one in, within five minutes."
    else:
        screen = "The browser screen is not built: `make web` says what it needs."
    print(NEXT.format(address=address, screen=screen, atoll=command, question=NEXT_QUESTION, page=f"{command}{page}"))
    return 0


def main() -> int:
    """Run the demo from the root of the repository; it ends where a command fails."""
    os.chdir(ROOT)
    try:
        return demonstrate()
    except subprocess.CalledProcessError as failed:
        print(f"the demo ended: `atoll {failed.cmd[1]}` failed, see above", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
