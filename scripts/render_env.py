"""Write .env.example from the settings, or check that it is what they would give."""

from __future__ import annotations

import argparse
import sys
from itertools import groupby
from pathlib import Path

from atoll.settings import ALIASES, NESTING, PREFIX, Knob, Settings, knobs

TARGET = Path(__file__).resolve().parent.parent / ".env.example"

HEAD = """\
# Every setting of Atoll with its default; made from src/atoll/settings by `make env`.
# Atoll reads environment variables and no file: export what you change, or keep it in a file of your own and run
# `set -a; . ./that-file; set +a` before `atoll up`. Sizes, times and counts carry their unit in the name.
"""


def render() -> str:
    """Return the file's text."""
    parts = [HEAD]
    for section, members in groupby(knobs(Settings), key=_section):
        parts.append(f"\n# --- {section} ---\n")
        parts.extend(_lines(knob) for knob in members)
    parts.append("\n# --- established names that are taken as well ---\n")
    parts.extend(f"# {alias} = {name}\n" for alias, (name, _) in sorted(ALIASES.items()))
    return "".join(parts)


def _section(knob: Knob) -> str:
    name = knob.name.removeprefix(PREFIX)
    return name.split(NESTING)[0].lower() if NESTING in name else "all roles"


def _lines(knob: Knob) -> str:
    default = "" if knob.default is None else str(knob.default)
    return f"# {knob.description}\n#{knob.name}={default}\n"


def main() -> int:
    """Write, or with --check compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit 1 when the file is not up to date")
    if not parser.parse_args().check:
        TARGET.write_text(render(), encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == render():
        return 0
    print(f"{TARGET.name} is not what the settings say; run `make env`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
