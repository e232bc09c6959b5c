"""The main job in one go: start the local stack, read samples/, answer a question from them with its sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ATOLL = Path(sys.executable).parent / "atoll"
QUESTION = "How far was the Fennet Bank lightfloat shifted, and in which notice?"

NEXT = """
The stack goes on running. Try next:

  {atoll} ask "Which firm audits the Authority's accounts?"
  {atoll} page DOC N --mark PASSAGE      saves the marked page behind a citation as PNG; the lines above name it
  {atoll} ingest YOUR_FOLDER             adds your own documents
  {atoll} down                           stops everything
"""


def atoll(*arguments: str) -> None:
    """Run one command of Atoll; the demo ends where it fails."""
    subprocess.run([ATOLL, *arguments], cwd=ROOT, check=True)


def main() -> int:
    """Run the demo; return the exit code."""
    try:
        atoll("up", "--local")
        atoll("ingest", "samples")
        print(f"\n> {QUESTION}\n", flush=True)
        atoll("ask", QUESTION)
    except subprocess.CalledProcessError as failure:
        return failure.returncode
    print(NEXT.format(atoll=ATOLL.relative_to(ROOT)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
