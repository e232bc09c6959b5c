"""The committed copy of the API's description: ``python -m gateway.openapi --check | --write``."""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

import orjson
from fastapi import FastAPI

from gateway.app import routes

#: The committed copy; a change of the API shows as a change of this file.
COMMITTED = Path(__file__).parents[1] / "openapi.json"


def render(app: FastAPI) -> str:
    """Return the description as the committed file holds it."""
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n"


def main() -> int:
    """Compare with the committed copy or write it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m gateway.openapi", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--check", action="store_true", help="exit 1 and show the difference when it is out of date")
    choice.add_argument("--write", action="store_true", help="write it")
    current = render(routes())
    if parser.parse_args().write:
        COMMITTED.write_text(current, encoding="utf-8")
        return 0
    committed = COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else ""
    if committed == current:
        return 0
    sys.stdout.writelines(
        difflib.unified_diff(committed.splitlines(True), current.splitlines(True), "gateway/openapi.json", "the code")
    )
    sys.stdout.write("\nThe API changed: run `python -m gateway.openapi --write` and commit the file.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
